"""`python -m bench.contact_sheet`: docs/contact-sheet.jpg, from pictures whose licence allows it.

A row a pair: photograph, painting, the instant picture, the finished one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from app.core.commission import Commission
from app.core.config import Settings
from app.core.specs import resolve
from bench.pictures import PAIRS, painting, photograph
from workers.style.engine import Engine
from workers.style.resample import to_uint8

SHEET = Path(__file__).parents[1] / "docs" / "contact-sheet.jpg"
WIDTH, HEIGHT = 400, 300
_LABEL, _GAP = 24, 8
_LARGEST = 1_500_000
# Pairs whose pictures the page offers.
_ROWS = 8


def main() -> None:
    engine = Engine(Settings())
    rows = []
    for content_name, style_name in PAIRS[:_ROWS]:
        content, style = photograph(content_name), painting(style_name)
        instant, painted = (
            to_uint8(engine.stylize(Commission.of(content, style, resolve(preset)), lambda _: None)) for preset in ("instant", "default")
        )
        labels = (content_name, style_name, "instant", "default preset")
        rows.append([card(pixels, label) for pixels, label in zip((content, style, instant, painted), labels, strict=True)])
    save(laid_out(rows), SHEET)


def laid_out(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Return rows of cards on white."""
    across, down = WIDTH + _GAP, HEIGHT + _LABEL + _GAP
    sheet = Image.new("RGB", (max(map(len, rows)) * across + _GAP, len(rows) * down + _GAP), "white")
    for row, cards in enumerate(rows):
        for column, picture in enumerate(cards):
            sheet.paste(picture, (_GAP + column * across, _GAP + row * down))
    return sheet


def card(pixels: NDArray[np.uint8], label: str) -> Image.Image:
    """Return ``pixels`` fitted into a card, with its label below."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    if max(picture.width / WIDTH, picture.height / HEIGHT) < 1:
        scale = min(WIDTH / picture.width, HEIGHT / picture.height)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
    whole = Image.new("RGB", (WIDTH, HEIGHT + _LABEL), "white")
    whole.paste(picture, ((WIDTH - picture.width) // 2, (HEIGHT - picture.height) // 2))
    ImageDraw.Draw(whole).text((WIDTH // 2, HEIGHT + _LABEL // 2), label, "black", ImageFont.load_default(15), anchor="mm")
    return whole


def save(sheet: Image.Image, path: Path) -> None:
    """Write a JPEG of at most 1.5 MB, as good as that allows."""
    for quality in range(92, 40, -6):
        sheet.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= _LARGEST:
            return


if __name__ == "__main__":
    main()
