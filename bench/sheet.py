"""The contact sheet of a run: a row a pair, a column a system, labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bench.pictures import painting, photograph
from bench.records import Record, Records
from bench.systems import SYSTEMS

_TILE, _LABEL, _GAP = 192, 20, 6
_LARGEST = 1_900_000
# A picture of a few iterations shows nothing.
_LEFT_OUT = {"tutorial"}


def contact_sheet(records: list[Record], kept: Records, path: Path) -> None:
    """Write photograph, painting and every system's picture of every pair as a JPEG under 2 MB."""
    systems = [name for name in SYSTEMS if name not in _LEFT_OUT and any(record.system == name for record in records)]
    rows = []
    for pair in dict.fromkeys(record.pair for record in records):
        row: list[tuple[str, NDArray[np.uint8] | None]] = [(pair[0], photograph(pair[0])), (pair[1], painting(pair[1]))]
        has = {record.system for record in records if record.pair == pair}
        rows.append(row + [(SYSTEMS[name].title, kept.picture(name, pair) if name in has else None) for name in systems])
    save(laid_out(rows), path)


def laid_out(rows: list[list[tuple[str, NDArray[np.uint8] | None]]]) -> Image.Image:
    """Return rows of labelled pictures on white; None leaves its place empty."""
    columns = max(map(len, rows), default=0)
    across, down = _TILE + _GAP, _TILE + _LABEL + _GAP
    sheet = Image.new("RGB", (columns * across + _GAP, len(rows) * down + _GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for row, tiles in enumerate(rows):
        for column, (label, pixels) in enumerate(tiles):
            left, top = _GAP + column * across, _GAP + row * down
            pen.text((left + _TILE // 2, top + _TILE + _LABEL // 2), label, "black", font, anchor="mm")
            if pixels is None:
                continue
            ratio = _TILE / max(pixels.shape[:2])
            size = max(1, round(pixels.shape[1] * ratio)), max(1, round(pixels.shape[0] * ratio))
            picture = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
            sheet.paste(picture, (left + (_TILE - size[0]) // 2, top + (_TILE - size[1]) // 2))
    return sheet


def save(sheet: Image.Image, path: Path) -> None:
    """Write a JPEG of at most 1.9 MB, as good as that allows."""
    for quality in range(92, 10, -6):
        sheet.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= _LARGEST:
            return
