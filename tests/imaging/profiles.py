"""Colour profiles made byte by byte (ICC.1:2001-04), and what colours they mean, by NumPy."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# Primaries adapted to D50 by Bradford: IEC 61966-2-1; Adobe RGB (1998), version 2005-05.
SRGB_PRIMARIES = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}
WIDE_PRIMARIES = {b"rXYZ": (0.60974, 0.31111, 0.01947), b"gXYZ": (0.20528, 0.62567, 0.06087), b"bXYZ": (0.14919, 0.06322, 0.74457)}
WIDE_GAMMA = 563 / 256
_D50 = (0.9642, 1.0, 0.8249)
_CURVES = [b"rTRC", b"gTRC", b"bTRC"]


def icc_profile(
    space: bytes,
    primaries: dict[bytes, tuple[float, float, float]],
    curves: list[bytes],
    gamma: float | None = None,
    name: bytes = b"made by a test",
) -> bytes:
    """Return a minimal display profile whose curves are a power, or straight lines."""
    curve = b"curv\0\0\0\0" + (struct.pack(">I", 0) if gamma is None else struct.pack(">IH", 1, round(gamma * 256)))
    tags = {tag: _xyz(*value) for tag, value in primaries.items()} | dict.fromkeys(curves, curve)
    return _profile(b"mntr", space, b"XYZ ", tags, name)


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(v * 65536) for v in (x, y, z)))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes], said: bytes) -> bytes:
    text = said + b"\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78, b"wtpt": _xyz(*_D50)} | tags
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        value += b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", at + len(body), len(value))
        body += value
    header = bytearray(128)
    header[8:12] = b"\x02\x10\0\0"
    header[12:24] = kind + space + connection
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">iii", 63190, 65536, 54061)
    header[0:4] = struct.pack(">I", at + len(body))
    return bytes(header) + struct.pack(">I", len(tags)) + table + body


def srgb_curve(linear: Numbers) -> Numbers:
    """IEC 61966-2-1, from light in [0, 1] to what is stored."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def wide_in_srgb(pixels: NDArray[np.uint8]) -> Numbers:
    """Return (…, 3) pixels of the profile ``WIDE`` as 8-bit sRGB values, not rounded; colours outside of sRGB are cut off."""
    light = (pixels / 255) ** WIDE_GAMMA
    return _stored(light @ np.array([WIDE_PRIMARIES[name] for name in (b"rXYZ", b"gXYZ", b"bXYZ")]))


def _stored(xyz: Numbers) -> Numbers:
    linear = xyz @ np.linalg.inv(np.array([SRGB_PRIMARIES[name] for name in (b"rXYZ", b"gXYZ", b"bXYZ")]))
    return srgb_curve(np.clip(linear, 0, 1)) * 255


# A press of solid inks: what paper looks like under each mixture of cyan, magenta and yellow,
# as L* · 2.55 and a*, b* + 128 (ICC lut8Type). Black ink over it leaves a third of the lightness.
_PAPER = {
    (0, 0, 0): (255, 128, 128),
    (1, 0, 0): (160, 105, 100),
    (0, 1, 0): (130, 180, 128),
    (0, 0, 1): (225, 122, 190),
    (1, 1, 0): (100, 145, 95),
    (1, 0, 1): (140, 90, 155),
    (0, 1, 1): (130, 170, 155),
    (1, 1, 1): (60, 128, 128),
}
INKS = {(*inks, black): colour if black == 0 else (colour[0] // 3, 128, 128) for inks, colour in _PAPER.items() for black in (0, 1)}
# All inks together are the black that a colour engine takes as zero.
INKS[1, 1, 1, 1] = (0, 128, 128)


def inks_in_srgb(inks: tuple[int, int, int, int]) -> Numbers:
    """Return the colour of solid inks as 8-bit sRGB values, not rounded: CIE 15:2004, section 8.2.1, backwards."""
    light, a, b = INKS[inks]
    y = (light * 100 / 255 + 16) / 116
    around = np.array([y + (a - 128) / 500, y, y - (b - 128) / 200])
    xyz = np.where(around > 6 / 29, around**3, 3 * (6 / 29) ** 2 * (around - 4 / 29)) * _D50
    return _stored(xyz)


def _press() -> bytes:
    """ICC.1:2001-04, 6.5.9, lut8Type: four inputs, three outputs, two points a side, the last ink changing fastest."""
    straight = bytes(range(256))
    unit = struct.pack(">9i", *(65536 * (place in (0, 4, 8)) for place in range(9)))
    points = b"".join(bytes(INKS[inks]) for inks in sorted(INKS))
    return b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + unit + straight * 4 + points + straight * 3


LINEAR = icc_profile(b"RGB ", SRGB_PRIMARIES, _CURVES)
WIDE = icc_profile(b"RGB ", WIDE_PRIMARIES, _CURVES, WIDE_GAMMA)
LINEAR_GREY = icc_profile(b"GRAY", {}, [b"kTRC"])
# Calls itself by a name that it has no right to.
CALLED_SRGB = icc_profile(b"RGB ", SRGB_PRIMARIES, _CURVES, name=b"sRGB of straight light")
PRESS = _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": _press()}, b"a press")
