"""Seams: lines along which a picture that was worked on in tiles would not fit together; and the trace of the network's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bench.edges import Plane, luminance

# A line between two rows is compared with those 2 to 8 rows away: near enough to cross the same picture.
_NEAR, _FAR = 2, 8
# Poolings leave a trace of their grid all over a picture, and cuts lie on it: so do the lines that they are compared with.
_GRID = 16
# Steps that are rounding, not picture.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Worst:
    """The cut that stands out most.

    Attributes:
        prominence: mean step of the luminance across it over that of the lines 2 to 8 pixels away; 1 is no more than those.
        alike: how many of the uncut lines stand out as much or more.
        uncut: how many were looked at: those at multiples of 16 pixels from a cut.
    """

    prominence: float
    alike: int
    uncut: int


def worst_seam(pixels: NDArray[np.uint8], rows: Sequence[int], columns: Sequence[int]) -> Worst:
    """Return the cut that stands out most, and how common that is where nothing was cut.

    Where tiles do not fit together no uncut line is like it; with few lines that happens by chance, too:
    for k cuts and n lines without a seam once in (k + n)/k. A step that is spread over many pixels is not seen.

    Args:
        pixels: uint8 RGB (height, width, 3).
        rows, columns: where it was cut: the first row, or column, after each cut; at least one cut.
    """
    plane = luminance(pixels)
    at, elsewhere = [], []
    for axis, cuts in ((0, rows), (1, columns)):
        found = _prominence(plane, axis)
        lines = [cut - 1 for cut in cuts]
        alike = {line for first in lines for line in range(first % _GRID, len(found), _GRID)}
        at.append(found[lines])
        elsewhere.append(found[sorted(alike.difference(lines))])
    most, uncut = float(np.concatenate(at).max()), np.concatenate(elsewhere)
    return Worst(most, int(np.sum(uncut >= most)), len(uncut))


def mesh(pixels: NDArray[np.uint8]) -> float:
    """Return how much the grid of the network's poolings shows; 1 means not at all.

    Lines at each of the 16 positions in a grid of 16 pixels have a median of how far they stand
    out; the largest of these over the smallest, mean of rows and columns. Of brush work without
    a mesh it is 1.05 at 512 pixels and nearer to 1 in a larger picture; of a JPEG, whose own
    blocks have 8 pixels, up to 1.4.

    Args:
        pixels: uint8 RGB (height, width, 3), sides of at least 32 pixels.
    """
    plane = luminance(pixels)
    found = []
    for axis in (0, 1):
        lines = _prominence(plane, axis)
        positions = [float(np.median(lines[position::_GRID])) for position in range(_GRID)]
        found.append(max(positions) / max(min(positions), _NOTHING))
    return float(np.mean(found))


def _prominence(plane: Plane, axis: int) -> NDArray[np.float64]:
    """Return, for each line between two neighbouring rows or columns, its mean step over that of the lines around."""
    steps = np.abs(np.diff(plane, axis=axis)).mean(axis=1 - axis)
    around = np.ones(2 * _FAR + 1)
    around[_FAR - _NEAR + 1 : _FAR + _NEAR] = 0.0
    surroundings = ndimage.convolve1d(steps, around / around.sum(), mode="mirror")
    # Between two areas of one colour a step has nothing around it; inside of one there is no step at all.
    alone = np.where(steps > _NOTHING, 1 / _NOTHING, 1.0)
    return np.divide(steps, surroundings, out=alone, where=surroundings > _NOTHING)
