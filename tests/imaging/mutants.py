"""Damaged pictures of every accepted kind: bits flipped, files cut, bytes overwritten and repeated, chunks put in."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from tests.imaging.made import chunk, noisy, oriented, png_from, saved

_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"fdAT", b"zTXt", b"iTXt", b"tEXt", b"gAMA", b"IEND")
_WEBP_CHUNKS = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP ")


def originals() -> list[bytes]:
    """Return one small whole picture of each kind, coding and layout."""
    size = (40, 36)
    noise = np.random.default_rng(4).integers(0, 256, (36, 40, 4), dtype=np.uint8)
    colour, soft = Image.fromarray(noise[..., :3]), Image.fromarray(noise)
    return [
        noisy(*size, "PNG"),
        saved(soft, "PNG"),
        saved(colour.quantize(16), "PNG", transparency=3),
        png_from(noise[..., :2].astype(int) * 257, 16, 4, interlaced=True),
        saved(colour, "PNG", save_all=True, append_images=[colour.rotate(180)] * 3),
        noisy(*size, "JPEG", exif=oriented(6)),
        noisy(*size, "JPEG", progressive=True),
        saved(Image.fromarray(noise, "CMYK"), "JPEG"),
        noisy(*size, "WEBP"),
        saved(soft, "WEBP", lossless=True, exif=oriented(3)),
        saved(colour, "WEBP", save_all=True, append_images=[colour.rotate(180)] * 3),
        noisy(*size, "AVIF"),
        saved(soft, "AVIF"),
        noisy(*size, "TIFF"),
        noisy(*size, "TIFF", compression="tiff_lzw"),
        noisy(*size, "TIFF", compression="jpeg"),
        saved(Image.fromarray(noise[..., 0] > 127), "TIFF", compression="group4"),
    ]


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 12)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _overwrite(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(min(len(data), 200))
    data[at : at + 4] = chance.choice((chance.randbytes(4), b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"))


def _repeat(data: bytearray, chance: random.Random) -> None:
    at, begin = chance.randrange(len(data)), chance.randrange(len(data))
    data[at:at] = data[begin : begin + 64]


def _insert(data: bytearray, chance: random.Random) -> None:
    """Put a well formed part with a senseless body between two others, as far as the kind has parts."""
    body = chance.randbytes(chance.choice((0, 1, 4, 13, 26, 60)))
    if data.startswith(b"\x89PNG"):
        at = chance.choice([8, 33, data.index(b"IDAT") - 4, len(data) - 12])
        data[at:at] = chunk(chance.choice(_PNG_CHUNKS), body)
    elif data.startswith(b"\xff\xd8"):
        at = chance.choice([2, 20, data.index(b"\xff\xda")])
        data[at:at] = (
            b"\xff"
            + bytes([chance.choice((0xC0, 0xC2, 0xC4, 0xDB, 0xDD, 0xE1, 0xE2, 0xEE, 0xDA))])
            + struct.pack(">H", len(body) + 2)
            + body
        )
    elif data.startswith(b"RIFF"):
        at = chance.choice([12, len(data)])
        data[at:at] = chance.choice(_WEBP_CHUNKS) + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        data[4:8] = struct.pack("<I", len(data) - 8)
    else:
        at = chance.randrange(len(data))
        data[at:at] = body or b"\0"


_HOWS: tuple[Callable[[bytearray, random.Random], None], ...] = (_flip, _cut, _overwrite, _repeat, _insert)


def mutants(count: int, seed: int = 20) -> Iterator[bytes]:
    """Yield damaged pictures, the same for each seed."""
    chance, whole = random.Random(seed), originals()
    for number in range(count):
        data = bytearray(whole[number % len(whole)])
        chance.choice(_HOWS)(data, chance)
        yield bytes(data)
