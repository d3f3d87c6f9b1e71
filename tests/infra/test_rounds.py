"""Work that is done again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from app.core.errors import PentimentoError
from app.infra.rounds import Rounds

Begin = Callable[..., Rounds]


@pytest.fixture
def begin() -> Iterator[Begin]:
    begun: list[Rounds] = []

    def make(work: Callable[[], object], seconds: float = 0.01) -> Rounds:
        rounds = Rounds("tidying", work, seconds)
        begun.append(rounds)
        rounds.start()
        return rounds

    yield make
    for rounds in begun:
        rounds.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PentimentoError("no room"), "tidying cut short, again in 0.01 s: no room"),
        (KeyError("unforeseen"), "tidying failed, again in 0.01 s"),
    ],
)
def test_a_round_that_fails_is_logged_and_followed_by_the_next(
    begin: Begin, caplog: pytest.LogCaptureFixture, error: Exception, said: str
) -> None:
    again = threading.Event()
    rounds: list[int] = []

    def fail() -> None:
        rounds.append(1)
        if len(rounds) > 1:
            again.set()
        raise error

    with caplog.at_level(logging.WARNING, logger="app.infra.rounds"):
        begin(fail)
        assert again.wait(10)
    assert caplog.messages[0] == said


def test_whoever_is_in_a_hurry_does_not_wait_for_the_next_round(begin: Begin) -> None:
    done = threading.Semaphore(0)
    rounds = begin(done.release, seconds=3_600.0)
    assert done.acquire(timeout=10)
    assert not done.acquire(timeout=0.2), "it rests"
    rounds.hurry()
    assert done.acquire(timeout=10)


def test_once_closed_a_round_hears_of_it_and_none_comes_after(begin: Begin) -> None:
    inside, heard, never = threading.Event(), threading.Event(), threading.Event()
    count: list[int] = []

    def work() -> None:
        count.append(1)
        inside.set()
        while not rounds.ended():
            never.wait(0.01)
        heard.set()

    rounds = Rounds("tidying", work, 0.0)
    rounds.start()
    assert inside.wait(10)
    rounds.close()
    assert heard.is_set()
    assert len(count) == 1


def test_what_was_never_begun_can_be_closed() -> None:
    Rounds("tidying", lambda: None, 1.0).close()
