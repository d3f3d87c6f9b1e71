"""Seams: lines along which a picture that was worked on in tiles would not fit together; and the trace of the network's own grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bench.edges import Plane, luminance

# A line between two rows is compared with those 2 to 8 rows away: near enough to cross the same picture.
_NEAR, _FAR = 2, 8
# Poolings leave a trace of their grid all over a picture, and cuts lie on it: so do the lines that they are compared with.
_GRID = 16


def seams(pixels: NDArray[np.uint8], rows: Sequence[int], columns: Sequence[int]) -> tuple[float, float]:
    """Return how far the worst of the cuts stands out, and how common that is where nothing was cut.

    Args:
        pixels: uint8 RGB (height, width, 3).
        rows, columns: where it was cut: the first row, or column, after each cut; at least one cut.

    Returns:
        The mean step of the luminance across the worst cut over that of the lines 2 to 8 pixels
        away, 1 meaning that it does not stand out; and the share, 0 to 1, of the uncut lines at
        multiples of 16 pixels from a cut that stand out as much or more. A seam's is 0.
    """
    plane = luminance(pixels)
    at, elsewhere = [], []
    for axis, cuts in ((0, rows), (1, columns)):
        found = _prominence(plane, axis)
        lines = [cut - 1 for cut in cuts]
        alike = {line for first in lines for line in range(first % _GRID, len(found), _GRID)}
        at.append(found[lines])
        elsewhere.append(found[sorted(alike.difference(lines))])
    worst = float(np.concatenate(at).max())
    return worst, float(np.mean(np.concatenate(elsewhere) >= worst))


def mesh(pixels: NDArray[np.uint8]) -> float:
    """Return how much the grid of the network's poolings shows; 1 means not at all.

    The lines at each of the 16 places on a grid of 16 pixels have a median of how far they stand
    out; the largest of these over the smallest, mean of rows and columns. A JPEG, whose own
    blocks have 8 pixels, has up to 1.4.

    Args:
        pixels: uint8 RGB (height, width, 3).
    """
    plane = luminance(pixels)
    found = []
    for axis in (0, 1):
        lines = _prominence(plane, axis)
        places = [float(np.median(lines[place::_GRID])) for place in range(_GRID)]
        found.append(max(places) / min(places))
    return float(np.mean(found))


def _prominence(plane: Plane, axis: int) -> NDArray[np.float64]:
    """Return, for each line between two neighbouring rows or columns, its mean step over that of the lines around."""
    steps = np.abs(np.diff(plane, axis=axis)).mean(axis=1 - axis)
    around = np.ones(2 * _FAR + 1)
    around[_FAR - _NEAR + 1 : _FAR + _NEAR] = 0.0
    surroundings = ndimage.convolve1d(steps, around / around.sum(), mode="mirror")
    # A picture of one colour has no steps at all, and so no seam.
    return np.divide(steps, surroundings, out=np.ones_like(steps), where=surroundings > 1e-9)
