"""The run's plot: frames at their iterations, probabilities on one scale from 0 to 1."""

from __future__ import annotations

from app.core.verdicts import Band, FrameScore
from app.web.run_plot import HEIGHT, WIDTH, draw

BAND = Band(low=0.3, threshold=0.5, high=0.7)


def frames(*points: tuple[int, float]) -> tuple[FrameScore, ...]:
    return tuple(FrameScore(iteration=iteration, probability=probability) for iteration, probability in points)


def test_frames_stand_at_their_iteration_and_probability() -> None:
    plot = draw(frames((10, 0.0), (20, 0.5), (50, 1.0)), BAND, 50)
    assert plot is not None
    # A margin of 5 on each side: 470 for 40 iterations, 110 for the whole probability.
    assert plot.dots == ((5.0, 115.0), (122.5, 60.0), (475.0, 5.0))
    assert plot.points == "5.0,115.0 122.5,60.0 475.0,5.0"
    assert plot.band == (38.0, 44.0)
    assert plot.became == 475.0
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in plot.dots)


def test_one_frame_is_no_run_and_a_run_may_never_turn() -> None:
    assert draw(frames((0, 0.4)), BAND, None) is None
    plot = draw(frames((0, 0.4), (0, 0.2)), BAND, None)
    assert plot is not None and plot.became is None and plot.dots[0][0] == plot.dots[1][0]
