"""How many scans a JPEG has: each goes through the whole picture anew, however few bytes it takes.

ITU-T T.81, annex B.1.1.
"""

from __future__ import annotations

import re

# A marker that is neither a stuffed byte nor a restart, both of which stand inside of scans.
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_WITHOUT_LENGTH = (0x01, 0xD8)


def count_scans(data: bytes) -> int:
    """Return the number of scans of the first picture in a JPEG file. Safe on untrusted bytes."""
    found, at = 0, 2
    while marker := _MARKER.search(data, at):
        kind, at = marker[1][0], marker.end()
        if kind == _END_OF_IMAGE:
            break
        found += kind == _START_OF_SCAN
        if kind not in _WITHOUT_LENGTH:
            # What a segment holds may look like a marker, as the thumbnail in an EXIF block does.
            at += int.from_bytes(data[at : at + 2], "big")
    return found
