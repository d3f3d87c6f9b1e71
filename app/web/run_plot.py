"""Probability of stylised over the kept pictures of a run, as points of a small drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.verdicts import Band, FrameScore

WIDTH = 480
HEIGHT = 120
_MARGIN = 5


@dataclass(frozen=True)
class RunPlot:
    """The run within WIDTH × HEIGHT, probability 0 at the bottom and 1 at the top.

    Attributes:
        points: an SVG polyline.
        dots: x and y of each frame.
        band: y and height of the uncertain band.
        became: x of the iteration from which on the run is stylised, or None.
    """

    points: str
    dots: tuple[tuple[float, float], ...]
    band: tuple[float, float]
    became: float | None


def draw(frames: Sequence[FrameScore], band: Band, became: int | None) -> RunPlot | None:
    """Return the plot, or None for fewer than two frames: one point is no run."""
    if len(frames) < 2:
        return None
    first, last = frames[0].iteration, frames[-1].iteration

    def x(iteration: int) -> float:
        return round(_MARGIN + (iteration - first) / max(last - first, 1) * (WIDTH - 2 * _MARGIN), 1)

    dots = tuple((x(frame.iteration), _y(frame.probability)) for frame in frames)
    points = " ".join(f"{left},{top}" for left, top in dots)
    top = _y(band.high)
    return RunPlot(points, dots, (top, round(_y(band.low) - top, 1)), None if became is None else x(became))


def _y(probability: float) -> float:
    return round(HEIGHT - _MARGIN - probability * (HEIGHT - 2 * _MARGIN), 1)
