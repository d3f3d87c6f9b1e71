from __future__ import annotations

import pytest

from bench.timing import Pace, duration


def test_what_is_left_is_by_own_pictures_then_by_effort() -> None:
    pace = Pace({"quick": 1.0, "slow": 10.0}, {"quick": 3, "slow": 2})
    assert pace.left == 0.0
    pace.done("quick", 4.0, 6.0)
    # Two more of 4 s, and two of ten times the effort after a start of 6 s.
    assert pace.left == pytest.approx(2 * 4 + 2 * 40 + 6)
    pace.done("slow", 20.0, 8.0)
    assert pace.left == pytest.approx(2 * 4 + 20)
    pace.give_up("slow")
    assert pace.left == pytest.approx(8)
    assert (pace.finished, pace.total) == (2, 5)


@pytest.mark.parametrize(("seconds", "said"), [(12.4, "12 s"), (600, "10 min"), (7200, "2.0 h")])
def test_durations_in_words(seconds: float, said: str) -> None:
    assert duration(seconds) == said
