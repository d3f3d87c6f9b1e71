"""PNG of 16 bits a channel: written, and our own read back. Pillow keeps only 8 of them in colour.

W3C PNG specification, third edition.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from app.imaging.chunks import SIGNATURE, chunk, chunks

Picture = NDArray[np.float32]

# A 4096 picture has 100 MB of samples: higher levels take a minute and save little of what is brush work.
LEVEL = 3
_COLOURS = {2: 3, 6: 4}  # PNG colour type: samples a pixel
_UP = 2


def png16(picture: Picture, alpha: Picture | None = None) -> bytes:
    """Encode losslessly at 16 bits a channel.

    Args:
        picture: float32 sRGB (height, width, 3) in [0, 1]; values outside are clipped.
        alpha: float32 (height, width) in [0, 1], or None for an opaque picture.

    Raises:
        ValueError: arrays of another shape.
    """
    samples = sixteen_bit(picture, alpha).astype(">u2")
    height, width, count = samples.shape
    rows = samples.reshape(height, -1).view(np.uint8)
    # Filter "up": each byte less the one above it.
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    head = struct.pack(">IIBBBBB", width, height, 16, 2 if count == 3 else 6, 0, 0, 0)
    body = zlib.compress(filtered.data, LEVEL)
    return SIGNATURE + chunk(b"IHDR", head) + chunk(b"sRGB", b"\0") + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def read_png16(data: bytes) -> tuple[Picture, Picture | None] | None:
    """Return the picture and its alpha as they were given to ``png16``, to half a 65,535th; None for any other file."""
    parts = [(kind, body) for kind, body, _ in chunks(data)] if data.startswith(SIGNATURE) else []
    if not parts or parts[0][0] != b"IHDR":
        return None
    width, height, bits, colour, *methods = struct.unpack(">IIBBBBB", parts[0][1])
    if bits != 16 or colour not in _COLOURS or any(methods):
        return None
    body = np.frombuffer(zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT")), np.uint8)
    rows = body.reshape(height, 1 + width * _COLOURS[colour] * 2)
    if (rows[:, 0] != _UP).any():
        return None
    whole = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8)
    samples = whole.view(">u2").reshape(height, width, -1).astype(np.float32) / np.float32(65535)
    return np.ascontiguousarray(samples[..., :3]), samples[..., 3].copy() if colour == 6 else None


def sixteen_bit(picture: Picture, alpha: Picture | None) -> NDArray[np.uint16]:
    """Return the samples of a file, uint16 (height, width, 3 or 4); arguments and errors as for ``png16``."""
    if picture.ndim != 3 or picture.shape[2] != 3 or not np.issubdtype(picture.dtype, np.floating):
        raise ValueError(f"expected a float picture of shape (height, width, 3), received {picture.dtype} of shape {picture.shape}")
    if alpha is not None and alpha.shape != picture.shape[:2]:
        raise ValueError(f"expected alpha of shape {picture.shape[:2]}, received {alpha.shape}")
    samples = np.empty((*picture.shape[:2], 3 if alpha is None else 4), np.uint16)
    samples[..., :3] = _scaled(picture)
    if alpha is not None:
        samples[..., 3] = _scaled(alpha)
    return samples


def _scaled(values: Picture) -> NDArray[np.float32]:
    scaled = np.clip(values, 0.0, 1.0) * np.float32(65535)
    rounded: NDArray[np.float32] = np.rint(scaled, out=scaled)
    return rounded
