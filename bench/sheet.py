"""A contact sheet: labelled pictures in rows on white, as a JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

# Of a card's picture, where a sheet says nothing else: (width, height).
SIZE = (400, 300)
_GAP = 8
# A label's place as a share of the card's width, and its letters as a share of that.
_LABEL, _LETTERS = 0.06, 0.6
_SMALLEST_LABEL = 20


def card(pixels: NDArray[np.uint8] | None, label: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return ``pixels``, enlarged or reduced to fit ``size``, with its label below; None leaves the place empty."""
    width, height = size
    place = max(_SMALLEST_LABEL, round(width * _LABEL))
    whole = Image.new("RGB", (width, height + place), "white")
    if pixels is not None:
        scale = min(width / pixels.shape[1], height / pixels.shape[0])
        fitted = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
        picture = Image.fromarray(pixels).resize(fitted, Image.Resampling.LANCZOS)
        whole.paste(picture, ((width - fitted[0]) // 2, (height - fitted[1]) // 2))
    font = ImageFont.load_default(place * _LETTERS)
    ImageDraw.Draw(whole).text((width // 2, height + place // 2), label, "black", font, anchor="mm")
    return whole


def laid_out(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Return rows of cards of one size on white; without any, a sheet all the same."""
    width, height = rows[0][0].size if rows else (0, 0)
    across, down = width + _GAP, height + _GAP
    sheet = Image.new("RGB", (max(map(len, rows), default=0) * across + _GAP, len(rows) * down + _GAP), "white")
    for row, cards in enumerate(rows):
        for column, picture in enumerate(cards):
            sheet.paste(picture, (_GAP + column * across, _GAP + row * down))
    return sheet


def save(sheet: Image.Image, path: Path, largest: int = 1_500_000) -> None:
    """Write a JPEG of at most ``largest`` bytes, as good as that allows."""
    for quality in range(92, 10, -6):
        sheet.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= largest:
            return
