"""0.5 s, doubled with each death in a row, 30 s at most, anew after a minute of health."""

from __future__ import annotations

from app.local.backoff import Backoff


def test_waits_double_up_to_thirty_seconds() -> None:
    backoff = Backoff()
    assert [backoff.after(1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_the_longest_wait_can_be_chosen() -> None:
    backoff = Backoff(longest=0.5)
    assert [backoff.after(1) for _ in range(3)] == [0.5, 0.5, 0.5]


def test_a_minute_of_health_starts_anew() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(59.9)
    assert backoff.after(60) == 0.5
    assert backoff.after(1) == 1
