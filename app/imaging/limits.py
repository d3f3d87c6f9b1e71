"""How large, how narrow and how slow a picture may be."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.config import Settings
from app.core.specs import MAX_ASPECT, MIN_SIDE


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one decode; sides in pixels.

    Attributes:
        max_bytes: largest file.
        max_pixels: largest width × height, checked before anything is decoded.
        min_side: least width and height.
        max_aspect: most the longer side may be times the shorter.
        max_scans: most scans of a JPEG; what programs write as progressive has ten or so.
        max_side: longer side of the normalised picture; larger ones are reduced.
        seconds: wall clock and processor time of one picture; one of 50 million pixels with alpha takes four to ten.
        memory: address space of the decoder process, in bytes.
    """

    max_bytes: int = 25_000_000
    max_pixels: int = 50_000_000
    min_side: int = MIN_SIDE
    max_aspect: int = MAX_ASPECT
    max_side: int = 4096
    max_scans: int = 100
    seconds: float = 20.0
    memory: int = 2 * 1024**3

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels, seconds=settings.decode_seconds)
