"""Pictures that are given to the decoder: made with Pillow, or byte by byte where it cannot, or where it would judge itself."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Samples = NDArray[np.integer]

RAMP = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (40, 1))  # 64 wide, 40 high
COLOURS = np.stack([RAMP, RAMP[:, ::-1], np.full_like(RAMP, 90)], axis=-1)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ORIENTATION = 0x0112
# How a stored picture is turned to stand upright: EXIF 2.3, 4.6.4, Orientation.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}

# W3C PNG specification, third edition, section 8.1: where each pass begins (x, y) and its steps (x, y).
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noisy(width: int = 64, height: int = 48, kind: str = "PNG", **options: object) -> bytes:
    """Return a picture of noise, the same for each width."""
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return saved(Image.fromarray(noise), kind, **options)


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(
    width: int, height: int, depth: int, colour: int, rows: bytes, before: bytes = b"", after: bytes = b"", interlace: int = 0
) -> bytes:
    """Return a PNG of a header and filtered rows that need not fit each other, with chunks before and after the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    body = chunk(b"IDAT", zlib.compress(rows))
    return SIGNATURE + chunk(b"IHDR", header) + before + body + after + chunk(b"IEND", b"")


def rows_of(samples: Samples, depth: int) -> bytes:
    """Return unfiltered PNG rows of ``samples``: integers (height, width) or (height, width, channels) below 2 ** depth."""
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        body = flat.astype(">u2").view(np.uint8)
    elif depth == 8:
        body = flat.astype(np.uint8)
    else:
        bits = flat[..., None] >> np.arange(depth - 1, -1, -1) & 1
        body = np.packbits(bits.reshape(len(flat), -1).astype(np.uint8), axis=1)
    return np.pad(body, ((0, 0), (1, 0))).tobytes()


def png_from(samples: Samples, depth: int, colour: int, *, before: bytes = b"", after: bytes = b"", interlaced: bool = False) -> bytes:
    """Return a PNG of ``samples`` as they are: see ``rows_of``; ``colour`` is the colour type."""
    height, width = samples.shape[:2]
    passes = [samples[y::down, x::right] for x, y, right, down in _ADAM7] if interlaced else [samples]
    rows = b"".join(rows_of(part, depth) for part in passes if part.size)
    return png_of(width, height, depth, colour, rows, before, after, int(interlaced))


def tiff_of(width: int, height: int, tags: dict[int, tuple[int, ...]], body: bytes) -> bytes:
    """Return a TIFF of one uncompressed strip; ``tags`` are 32-bit numbers by their tag: TIFF 6.0, section 2."""
    begin = 8
    tags = {256: (width,), 257: (height,), 259: (1,), 273: (begin,), 278: (height,), 279: (len(body),)} | tags
    at = begin + len(body) + len(body) % 2
    beyond = at + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        place = packed if len(numbers) == 1 else struct.pack("<I", beyond + len(values))
        values += packed if len(numbers) > 1 else b""
        entries += struct.pack("<HHI", tag, 4, len(numbers)) + place
    body = body.ljust(at - begin, b"\0")
    return b"II*\0" + struct.pack("<I", at) + body + struct.pack("<H", len(tags)) + entries + bytes(4) + values
