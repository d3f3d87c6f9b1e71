"""The same crop, size, resampler and JPEG quality for every picture, so that no file format tells what it shows.

Used in training the detector, in the Lab and in the verdict alike.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.core.errors import PictureError

SIDE = 299
_QUALITY = 90
# Part of the key under which features are cached: raise the last number with any change below.
VERSION = f"{SIDE}-whole-lanczos-jpeg{_QUALITY}-1"


def neutral(pixels: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """Return the whole picture squeezed into a square, after one round of JPEG.

    Nothing is cropped: evidence then covers the whole picture, and one side longer than the
    other is squeezed for originals and stylised pictures alike.

    Args:
        pixels: uint8 RGB (height, width, 3), of any size.
        side: of the result; the detector and the Lab use ``SIDE``.

    Returns:
        uint8 RGB (side, side, 3).

    Raises:
        PictureError: not uint8 RGB, or without pixels.
    """
    _check(pixels)
    image = Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling=2)
    buffer.seek(0)
    with Image.open(buffer, formats=("JPEG",)) as coded:
        return np.array(coded.convert("RGB"))


def reduced(pixels: NDArray[np.uint8], largest: int | None) -> NDArray[np.uint8]:
    """Return the picture with a longer side of at most ``largest``; None leaves it as it is.

    A detector made of pictures that were reduced first has to see others reduced likewise, and then made neutral.

    Args:
        pixels: uint8 RGB (height, width, 3).
        largest: at least 1.

    Raises:
        PictureError: not uint8 RGB, or without pixels.
    """
    _check(pixels)
    height, width = pixels.shape[:2]
    if largest is None or max(height, width) <= largest:
        return pixels
    scale = largest / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def _check(pixels: NDArray[np.uint8]) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise PictureError(f"A picture is uint8 of shape (height, width, 3). Received: {pixels.dtype} {pixels.shape}.")
