"""The grid: a pattern that AdaIN's decoder leaves all over a picture, the same in every cell of 8 pixels."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from workers.nets.vgg19 import stride
from workers.style.resample import Picture

# The decoder doubles its features until each has become a cell of this many pixels a side.
CELL = stride("relu4_1")
# Over how many cells the pattern is averaged, as a standard deviation: fewer take it for the picture's own detail as well,
# more leave it where it changes along the picture (docs/decisions/0007-the-decoders-grid.md has the figures).
_CELLS = 3.0
# Detail beyond this counts as this much: the grid is fainter, and an edge is not to leave its print in the cells around it.
_MOST = np.float32(0.2)


def without_grid(picture: Picture) -> Picture:
    """Return ``picture`` less what repeats itself from cell to cell.

    Pixels at the same place of the cells around are averaged, after what is larger than a
    cell has been taken out. In terms of frequencies: a notch at each multiple of 1/8 cycle a
    pixel but 0.

    Args:
        picture: float32 (h, w, channels), nominally in [0, 1]; sides multiples of 8.

    Returns:
        float32 of the same shape, not clipped.
    """
    height, width, channels = picture.shape
    detail = np.clip(_fine(picture), -_MOST, _MOST)
    cells = detail.reshape(height // CELL, CELL, width // CELL, CELL, channels)
    repeated = gaussian_filter(cells, (_CELLS, 0, _CELLS, 0, 0)).reshape(picture.shape)
    return picture - _fine(repeated)


def _fine(picture: Picture) -> Picture:
    """Return ``picture`` less its light and shade: of a pattern of one cell, all but 3 · 10⁻⁹ is left."""
    return picture - gaussian_filter(picture, (CELL, CELL, 0))
