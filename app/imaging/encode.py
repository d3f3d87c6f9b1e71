"""Pixels to files, and our own files back to pixels. Nothing untrusted comes here: see ``decode``."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.imaging.chunks import SIGNATURE
from app.imaging.deep import Picture, png16, read_png16
from app.imaging.tiff import tiff16

__all__ = ["PREVIEW_BYTES", "is_deep", "jpeg", "png", "png16", "preview", "quick_jpeg", "read_float", "read_rgb", "rgb", "tiff16"]

PREVIEW_BYTES = 80_000


def png(pixels: NDArray[np.uint8], *, alpha: Picture | None = None, compress_level: int = 6) -> bytes:
    """Encode losslessly.

    Args:
        pixels: uint8 RGB of shape (height, width, 3).
        alpha: float32 (height, width) in [0, 1], or None for an opaque picture.
        compress_level: 0 (fast, large) to 9.
    """
    buffer = io.BytesIO()
    image = _image(pixels)
    if alpha is not None:
        image.putalpha(Image.fromarray(np.rint(np.clip(alpha, 0.0, 1.0) * 255).astype(np.uint8)))
    image.save(buffer, "PNG", compress_level=compress_level)
    return buffer.getvalue()


def jpeg(pixels: NDArray[np.uint8], *, quality: int = 92) -> bytes:
    """Encode as JPEG without colour subsampling, which would smear brush strokes.

    Args:
        pixels: uint8 RGB of shape (height, width, 3).
        quality: 1 to 95.
    """
    buffer = io.BytesIO()
    _image(pixels).save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True)
    return buffer.getvalue()


def quick_jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode to look at while a slider moves: as ``jpeg``, without the second pass that saves a few bytes."""
    buffer = io.BytesIO()
    _image(pixels).save(buffer, "JPEG", quality=90, subsampling=0)
    return buffer.getvalue()


def preview(pixels: NDArray[np.uint8], *, max_side: int = 512) -> bytes:
    """Encode a small, quick JPEG to look at while the picture is being painted.

    Args:
        pixels: uint8 RGB of shape (height, width, 3); reduced to ``max_side`` if larger.
        max_side: longer side of the preview.

    Returns:
        JPEG of about ``PREVIEW_BYTES`` at most.
    """
    image = _image(pixels)
    image.thumbnail((max_side, max_side), Image.Resampling.BOX)
    # Full colour while there is room: a detector that looks at a run's previews reads brush strokes in it.
    for quality, subsampling in ((90, 0), (82, 0), (82, 2), (68, 2), (50, 2)):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
        if buffer.tell() <= PREVIEW_BYTES:
            break
    return buffer.getvalue()


def read_rgb(data: bytes) -> NDArray[np.uint8]:
    """Read a PNG or JPEG that this program stored: uint8 RGB of shape (height, width, 3); of 16 bits a channel the high byte."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        return np.array(image.convert("RGB"))


def read_float(data: bytes) -> tuple[Picture, Picture | None]:
    """Read a picture that this program stored, at the depth it was stored with.

    Returns:
        float32 sRGB (height, width, 3) in [0, 1], and alpha (height, width) in [0, 1] where ``png16`` was given one.
    """
    return read_png16(data) or (read_rgb(data).astype(np.float32) / np.float32(255), None)


def is_deep(data: bytes) -> bool:
    """Tell whether a stored picture has 16 bits a channel."""
    return data.startswith(SIGNATURE) and data[24:25] == b"\x10"


def rgb(picture: Picture) -> NDArray[np.uint8]:
    """Round a float picture in [0, 1], (height, width, 3), to uint8; values outside are clipped."""
    scaled = np.clip(picture, 0.0, 1.0) * np.float32(255)
    rounded: NDArray[np.uint8] = np.rint(scaled, out=scaled).astype(np.uint8)
    return rounded


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"expected uint8 pixels of shape (height, width, 3), received {pixels.dtype} of shape {pixels.shape}")
    return Image.fromarray(np.ascontiguousarray(pixels))
