"""An evidence map as a drawing: which parts of a picture speak for stylised, and which against."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.core.verdicts import Evidence

Side = Literal["stylised", "original"]
# Steps from nothing to the strongest evidence; finer ones cannot be told apart over a picture.
STEPS = 8
RAMP = [round(0.82 * step / STEPS, 3) for step in range(1, STEPS + 1)]
_PLACES = (("upper left", "top", "upper right"), ("left", "middle", "right"), ("lower left", "bottom", "lower right"))


@dataclass(frozen=True)
class Layer:
    """All cells of one strength: an SVG path in units of cells, from (0, 0) to (columns, rows)."""

    side: Side
    opacity: float
    path: str


@dataclass(frozen=True)
class Heat:
    """A map to be laid over its picture.

    Attributes:
        layers: weakest first, each side apart.
        strongest_for: where the most is said for stylised, in words; None if nothing is.
        strongest_against: the same for original.
    """

    rows: int
    columns: int
    layers: tuple[Layer, ...]
    strongest_for: str | None
    strongest_against: str | None


def scale_of(maps: Iterable[Evidence]) -> float:
    """Return the strength that is drawn in full, one for several maps: 98 of 100 cells lie within, so that a single one does not pale the rest."""
    strengths = sorted(abs(cell) for evidence in maps for cell in evidence.cells)
    return strengths[math.ceil(0.98 * len(strengths)) - 1] if strengths else 0.0


def draw(evidence: Evidence, scale: float) -> Heat:
    """Return the map of ``evidence``; a cell of strength ``scale`` or more is drawn in full."""
    drawn: dict[tuple[Side, int], list[str]] = {}
    for place, value in enumerate(evidence.cells):
        step = min(STEPS, round(abs(value) / scale * STEPS)) if scale else 0
        if step:
            row, column = divmod(place, evidence.columns)
            drawn.setdefault(("stylised" if value > 0 else "original", step), []).append(_cell(row, column, evidence))
    layers = tuple(Layer(side, RAMP[step - 1], "".join(cells)) for (side, step), cells in sorted(drawn.items()))
    high, low = max(evidence.cells), min(evidence.cells)
    return Heat(
        evidence.rows,
        evidence.columns,
        layers,
        _place(evidence.cells.index(high), evidence) if high > 0 else None,
        _place(evidence.cells.index(low), evidence) if low < 0 else None,
    )


def _cell(row: int, column: int, evidence: Evidence) -> str:
    """Return one cell; at the edge it goes on outside, so that softening the map does not fade its border."""
    left, right = column - (column == 0), column + 1 + (column == evidence.columns - 1)
    top, bottom = row - (row == 0), row + 1 + (row == evidence.rows - 1)
    return f"M{left} {top}H{right}V{bottom}H{left}z"


def _place(index: int, evidence: Evidence) -> str:
    row, column = divmod(index, evidence.columns)
    return _PLACES[3 * row // evidence.rows][3 * column // evidence.columns]
