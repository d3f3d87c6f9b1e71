"""Loss curves as points of a small drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from app.jobs.job_events import CurvePoint

WIDTH = 240
HEIGHT = 64
_MARGIN = 3
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Curve:
    """One loss over the iterations, on a logarithmic scale.

    Attributes:
        points: an SVG polyline within WIDTH × HEIGHT.
        steps: where a new scale begins, as x in the drawing.
        first: the first value.
        last: the newest value.
    """

    points: str
    steps: tuple[float, ...]
    first: float
    last: float


def draw(curve: Sequence[CurvePoint], term: Literal["content", "style"], iterations: int) -> Curve | None:
    """Return the curve of one term, or None for fewer than two points."""
    if len(curve) < 2:
        return None
    values = [max(getattr(point, term), _SMALLEST) for point in curve]
    logs = [math.log10(value) for value in values]
    low, high = min(logs), max(logs)
    last = max(iterations, curve[-1].iteration, 1)

    def x(point: CurvePoint) -> float:
        return round(_MARGIN + point.iteration / last * (WIDTH - 2 * _MARGIN), 1)

    def y(value: float) -> float:
        height = 0.5 if high == low else (value - low) / (high - low)
        return round(HEIGHT - _MARGIN - height * (HEIGHT - 2 * _MARGIN), 1)

    points = " ".join(f"{x(point)},{y(value)}" for point, value in zip(curve, logs, strict=True))
    steps = tuple(x(after) for before, after in pairwise(curve) if after.scale != before.scale)
    return Curve(points, steps, values[0], values[-1])
