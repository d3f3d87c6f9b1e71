"""Resizing as a product with two matrices, so that NumPy and a TensorFlow graph do exactly the same."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.float32]

_LOBES = 3


# An iteration takes six to eight; of a picture of 4096 pixels the largest has 35 MB.
@lru_cache(maxsize=24)
def lanczos(source: int, target: int, start: float = 0.0, stop: float | None = None) -> NDArray[np.float32]:
    """Return the matrix (target, source) that resamples a row of ``source`` pixels, from ``start`` to ``stop``, to ``target``.

    Lanczos's kernel with three lobes, widened when shrinking so that nothing aliases:
    with a box filter the optimiser hides noise in what aliases. Rows sum to 1.
    """
    pace = ((source if stop is None else stop) - start) / target
    stretch = max(1.0, pace)
    centres = start + (np.arange(target)[:, None] + 0.5) * pace
    distance = (np.arange(source)[None, :] + 0.5 - centres) / stretch
    weights = np.where(np.abs(distance) < _LOBES, np.sinc(distance) * np.sinc(distance / _LOBES), 0.0)
    matrix = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    matrix.flags.writeable = False
    return matrix


def resize(picture: Picture, height: int, width: int) -> Picture:
    """Return ``picture``, float32 (h, w, channels), at another size; it may overshoot its range by a little."""
    if picture.shape[:2] == (height, width):
        return picture
    rows = np.tensordot(lanczos(picture.shape[0], height), picture, axes=(1, 0))
    both = np.tensordot(lanczos(picture.shape[1], width), rows, axes=(1, 1))
    return np.ascontiguousarray(both.transpose(1, 0, 2))


def cut(picture: Picture, frame: tuple[float, float, float, float], height: int, width: int) -> Picture:
    """Return a part of ``picture`` at another size; ``frame`` is (top, bottom, left, right) as shares of its sides."""
    top, bottom, left, right = frame
    rows = np.tensordot(lanczos(picture.shape[0], height, top * picture.shape[0], bottom * picture.shape[0]), picture, axes=(1, 0))
    both = np.tensordot(lanczos(picture.shape[1], width, left * picture.shape[1], right * picture.shape[1]), rows, axes=(1, 1))
    return np.ascontiguousarray(both.transpose(1, 0, 2))


def shrink(pixels: NDArray[np.uint8], height: int, width: int) -> Picture:
    """Return uint8 RGB (h, w, 3) at another size as float32 in [0, 1]: for photographs of any size."""
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = np.array(image, np.float32)
    # In place: a painting for 4096 pixels may have 0.8 GB.
    picture /= np.float32(255)
    return picture


def to_uint8(picture: Picture) -> NDArray[np.uint8]:
    """Return a float picture in [0, 1], clipped and rounded, as uint8."""
    return np.rint(np.clip(picture, 0.0, 1.0) * np.float32(255)).astype(np.uint8)
