"""Seams: lines along which a picture that was worked on in tiles would not fit together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bench.edges import Plane, luminance

# A line between two rows is compared with those 2 to 8 rows away: near enough to cross the same picture.
_NEAR, _FAR = 2, 8


def seams(pixels: NDArray[np.uint8], rows: Sequence[int], columns: Sequence[int]) -> tuple[float, float]:
    """Return how far the worst of the cuts stands out, and how common that is among the lines where nothing was cut.

    Args:
        pixels: uint8 RGB (height, width, 3).
        rows, columns: where it was cut: the first row, or column, after each cut; at least one cut.

    Returns:
        The mean step of the luminance across the worst cut over that of the lines 2 to 8 pixels
        away, 1 meaning that it does not stand out; and the share, 0 to 1, of the uncut lines
        that stand out as much or more. A seam is far above 1 and its share is 0.
    """
    plane = luminance(pixels)
    at, elsewhere = [], []
    for axis, cuts in ((0, rows), (1, columns)):
        found = _prominence(plane, axis)
        is_cut = np.zeros(len(found), bool)
        is_cut[[cut - 1 for cut in cuts]] = True
        at.append(found[is_cut])
        elsewhere.append(found[~is_cut])
    worst = float(np.concatenate(at).max())
    return worst, float(np.mean(np.concatenate(elsewhere) >= worst))


def _prominence(plane: Plane, axis: int) -> NDArray[np.float64]:
    """Return, for each line between two neighbouring rows or columns, its mean step over that of the lines around."""
    steps = np.abs(np.diff(plane, axis=axis)).mean(axis=1 - axis)
    around = np.ones(2 * _FAR + 1)
    around[_FAR - _NEAR + 1 : _FAR + _NEAR] = 0.0
    surroundings = ndimage.convolve1d(steps, around / around.sum(), mode="mirror")
    # A picture of one colour has no steps at all, and so no seam.
    return np.divide(steps, surroundings, out=np.ones_like(steps), where=surroundings > 1e-9)
