"""Small files that ask for much: memory, time, or patience."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.imaging.made import SIGNATURE, chunk, noisy, png_of, saved, tiff_of

SIDE = 7000  # a square of 49 million pixels
_GREY_ROWS = (b"\0" + b"\7" * 40) * 40


def _with(chunks: bytes) -> bytes:
    return png_of(40, 40, 8, 0, _GREY_ROWS, chunks)


def _deflated(megabytes: int) -> bytes:
    return zlib.compress(b"A" * (megabytes * 1_000_000), 9)


def _jpeg_of_lying_size() -> bytes:
    data = bytearray(noisy(40, 36, "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65500, 65500)
    return bytes(data)


def _webp_of_lying_size() -> bytes:
    data = bytearray(saved(Image.new("RGBA", (40, 36), (9, 9, 9, 9)), "WEBP", exif=b"Exif\0\0"))
    at = data.index(b"VP8X")
    data[at + 12 : at + 18] = (16382).to_bytes(3, "little") * 2
    return bytes(data)


def _avif_of_lying_size() -> bytes:
    data = bytearray(noisy(40, 36, "AVIF"))
    at = data.index(b"ispe")
    data[at + 8 : at + 16] = struct.pack(">II", 60000, 60000)
    return bytes(data)


def _tiff_directory_without_end() -> bytes:
    """A directory whose next one is itself, and whose EXIF, GPS and sub-directories are itself."""
    data = bytearray(tiff_of(40, 40, {258: (8,), 262: (1,), 277: (1,), 330: (8,), 34665: (8,), 34853: (8,)}, bytes(1600)))
    at = struct.unpack_from("<I", data, 4)[0]
    (count,) = struct.unpack_from("<H", data, at)
    for place in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, place)[0] in (330, 34665, 34853):
            struct.pack_into("<I", data, place + 8, at)
    struct.pack_into("<I", data, at + 2 + 12 * count, at)
    return bytes(data)


def _png_of_many_frames(count: int) -> bytes:
    frame = zlib.compress(_GREY_ROWS)
    parts = [chunk(b"acTL", struct.pack(">II", count, 0)), chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 40, 40, 0, 0, 1, 10, 0, 0))]
    rest = bytearray()
    for number in range(1, count):
        rest += chunk(b"fcTL", struct.pack(">IIIIIHHBB", 2 * number - 1, 40, 40, 0, 0, 1, 10, 0, 0))
        rest += chunk(b"fdAT", struct.pack(">I", 2 * number) + frame)
    return png_of(40, 40, 8, 0, _GREY_ROWS, b"".join(parts), bytes(rest))


def _of_many_frames(kind: str, count: int) -> bytes:
    frames = [Image.new("RGB", (32, 32), (number % 256, number // 256, 0)) for number in range(count)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def _zeros(depth: int, colour: int, channels: int, interlace: int = 0) -> bytes:
    """A PNG of 49 million pixels, all of them zero."""
    # The rows of seven passes are more than those of one, each with the byte that names its filter.
    rows = SIDE * 2 if interlace else SIDE
    deflate = zlib.compressobj(9)
    row = bytes(SIDE * channels * depth // 8 + 1)
    body = b"".join(deflate.compress(row) for _ in range(rows)) + deflate.flush()
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, colour, 0, 0, interlace)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _jpeg_of_many_scans(count: int) -> bytes:
    """A progressive JPEG of 49 million pixels whose last scan comes again and again."""
    data = saved(Image.new("L", (SIDE, SIDE), 90), "JPEG", progressive=True)
    begin = data.rindex(b"\xff\xda")
    return data[:begin] + data[begin:-2] * count + data[-2:]


BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG of lying size": lambda: png_of(60_000, 60_000, 8, 2, b"\0"),
    "JPEG of lying size": _jpeg_of_lying_size,
    "WebP of lying size": _webp_of_lying_size,
    "AVIF of lying size": _avif_of_lying_size,
    "TIFF of lying size": lambda: tiff_of(60_000, 60_000, {258: (8,), 262: (1,), 277: (1,)}, bytes(1600)),
    "zTXt": lambda: _with(chunk(b"zTXt", b"Comment\0\0" + _deflated(50))),
    "iTXt": lambda: _with(chunk(b"iTXt", b"Comment\0\1\0\0\0" + _deflated(50))),
    "iCCP": lambda: _with(chunk(b"iCCP", b"profile\0\0" + _deflated(50))),
    "many texts": lambda: _with(b"".join(chunk(b"zTXt", b"text%d\0\0" % number + zlib.compress(b"A" * 900_000)) for number in range(50))),
    "TIFF directory without end": _tiff_directory_without_end,
    "PNG of many frames": lambda: _png_of_many_frames(20_000),
    "WebP of many frames": lambda: _of_many_frames("WEBP", 1000),
    "TIFF of many pages": lambda: _of_many_frames("TIFF", 300),
    "grey zeros": lambda: _zeros(8, 0, 1),
    "colour zeros with alpha": lambda: _zeros(8, 6, 4),
    "deep zeros with alpha": lambda: _zeros(16, 6, 4),
    "interlaced zeros with alpha": lambda: _zeros(8, 6, 4, interlace=1),
    "JPEG of many scans": lambda: _jpeg_of_many_scans(1000),
    "TIFF of zeros": lambda: saved(Image.fromarray(np.zeros((SIDE, SIDE, 3), np.uint8)), "TIFF", compression="tiff_lzw"),
}
