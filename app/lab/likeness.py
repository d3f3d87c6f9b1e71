"""Pictures that look alike: the same one in another size or quality, which a split must not tear apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from app.imaging import encode
from app.imaging.fingerprint import fingerprint, near_pairs


def print_of(thumbnail_jpeg: bytes) -> str:
    """Return a picture's fingerprint, taken from its thumbnail, as 16 hexadecimal digits."""
    return f"{fingerprint(encode.read_rgb(thumbnail_jpeg)):016x}"


def alike(prints: Sequence[str], most: int) -> list[tuple[int, int, int]]:
    """Return (place, place, bits that differ) of pictures that look alike, ``most`` of them at most."""
    return list(islice(near_pairs(np.array([int(one, 16) for one in prints], np.uint64)), most))
