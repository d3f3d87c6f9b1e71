"""TIFF of 16 bits a channel, and the description that any TIFF of ours can be given afterwards.

Adobe, "TIFF Revision 6.0", 1992; deflate: Adobe Photoshop TIFF Technical Notes, 2002.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from app.imaging.deep import LEVEL, Picture, sixteen_bit

LITTLE_ENDIAN = b"II*\0"

_STRIP_BYTES = 1 << 20
_TEXT, _SHORT, _LONG = 2, 3, 4
_DESCRIPTION = 270


def tiff16(picture: Picture, alpha: Picture | None = None) -> bytes:
    """Encode losslessly as TIFF, 16 bits a channel, deflated; alpha is not multiplied in.

    Args:
        picture: float32 sRGB (height, width, 3) in [0, 1]; values outside are clipped.
        alpha: float32 (height, width) in [0, 1], or None for an opaque picture.

    Raises:
        ValueError: arrays of another shape.
    """
    samples = sixteen_bit(picture, alpha)
    height, width, count = samples.shape
    # Predictor 2: each sample less the one to its left.
    samples[:, 1:] -= samples[:, :-1].copy()
    rows = max(1, _STRIP_BYTES // (width * count * 2))
    strips = [zlib.compress(samples[row : row + rows].astype("<u2").tobytes(), LEVEL) for row in range(0, height, rows)]
    starts = [len(LITTLE_ENDIAN) + 4]
    for strip in strips:
        starts.append(starts[-1] + len(strip))
    entries = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [16] * count),
        (259, _SHORT, [8]),  # deflate
        (262, _SHORT, [2]),  # RGB
        (273, _LONG, starts[:-1]),
        (277, _SHORT, [count]),
        (278, _LONG, [rows]),
        (279, _LONG, [len(strip) for strip in strips]),
        (317, _SHORT, [2]),
        *([(338, _SHORT, [2])] if count == 4 else []),
    ]
    at = starts[-1] + starts[-1] % 2
    body = b"".join(strips).ljust(at - starts[0], b"\0")
    return (
        LITTLE_ENDIAN + struct.pack("<I", at) + body + _directory([(tag, kind, _packed(kind, values)) for tag, kind, values in entries], at)
    )


def described(data: bytes, text: bytes) -> bytes:
    """Return a TIFF that ``tiff16`` made with an image description; the pixels stay where they are.

    Args:
        text: ASCII, as the format asks.
    """
    entries = [entry for entry in _entries(data) if entry[0] != _DESCRIPTION]
    entries = sorted([*entries, (_DESCRIPTION, _TEXT, text + b"\0")])
    data += b"\0" * (len(data) % 2)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + _directory(entries, len(data))


def description(data: bytes) -> bytes | None:
    """Return a TIFF's image description; None where there is none, or the file is not as ours are. Safe on untrusted bytes."""
    try:
        return next((body.rstrip(b"\0") for tag, kind, body in _entries(data) if (tag, kind) == (_DESCRIPTION, _TEXT)), None)
    except (struct.error, KeyError):
        return None


def _entries(data: bytes) -> list[tuple[int, int, bytes]]:
    """Return tag, type and values of each entry of the first directory."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    found = []
    for place in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from("<HHI", data, place)
        length = values * {_TEXT: 1, _SHORT: 2, _LONG: 4}[kind]
        (start,) = (place + 8,) if length <= 4 else struct.unpack_from("<I", data, place + 8)
        found.append((tag, kind, data[start : start + length]))
    return found


def _packed(kind: int, values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)


def _directory(entries: Sequence[tuple[int, int, bytes]], at: int) -> bytes:
    """Return an image file directory that will lie at ``at``: each value longer than four bytes follows it."""
    found, beyond = b"", b""
    after = at + 2 + 12 * len(entries) + 4
    for tag, kind, body in entries:
        place = body.ljust(4, b"\0")
        if len(body) > 4:
            place = struct.pack("<I", after + len(beyond))
            beyond += body + b"\0" * (len(body) % 2)
        found += struct.pack("<HHI", tag, kind, len(body) // {_TEXT: 1, _SHORT: 2, _LONG: 4}[kind]) + place
    return struct.pack("<H", len(entries)) + found + bytes(4) + beyond
