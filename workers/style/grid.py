"""The grid: a pattern that AdaIN's decoder leaves all over a picture, the same in every cell of 8 pixels."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from workers.nets.vgg19 import stride
from workers.style.resample import Picture

# The decoder doubles its features until each has become a cell of this many pixels a side.
CELL = stride("relu4_1")
# Over how many cells the pattern is averaged, as a standard deviation: fewer take it for the picture's own detail as well,
# more leave it where it changes along the picture (docs/engine.md has the figures).
_CELLS = 3.0
# Detail beyond this counts as this much: the grid is fainter, and an edge is not to leave its print in the cells around it.
_MOST = np.float32(0.2)


def without_grid(picture: Picture) -> Picture:
    """Return ``picture`` less what repeats itself from cell to cell.

    Around each pixel, those at the same place of the cells nearby are averaged, and so are
    all pixels nearby: the difference is the grid there. In terms of frequencies: a notch at
    each multiple of 1/8 pixel, none at 0.

    Args:
        picture: float32 (h, w, channels) in [0, 1]; sides multiples of 8.

    Returns:
        float32 of the same shape, in [0, 1].
    """
    height, width, channels = picture.shape
    detail = np.clip(picture - _mean(picture), -_MOST, _MOST)
    cells = detail.reshape(height // CELL, CELL, width // CELL, CELL, channels)
    repeated = gaussian_filter(cells, (_CELLS, 0, _CELLS, 0, 0)).reshape(picture.shape)
    return np.clip(picture - (repeated - _mean(repeated)), 0.0, 1.0)


def _mean(picture: Picture) -> Picture:
    return gaussian_filter(picture, (_CELLS * CELL, _CELLS * CELL, 0))
