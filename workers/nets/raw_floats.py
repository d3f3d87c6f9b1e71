"""Raw little-endian float32 bytes as an array."""

from __future__ import annotations

import math

import numpy as np

from workers.nets.pickle_data import Refused


def floats(raw: bytes | memoryview, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Return ``raw`` as a read-only float32 array of ``shape``.

    Raises:
        Refused: too few or too many bytes, or a number that is not finite.
    """
    if len(raw) != 4 * math.prod(shape):
        raise Refused(f"{name!r} has {len(raw)} bytes for shape {shape}")
    array = np.frombuffer(raw, dtype="<f4").reshape(shape)
    if not np.isfinite(array).all():
        raise Refused(f"{name!r} holds a number that is not finite")
    return array
