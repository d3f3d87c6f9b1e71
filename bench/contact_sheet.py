"""`python -m bench.contact_sheet`: docs/contact-sheet.jpg, from pictures whose licence allows it.

A row a pair: photograph, painting, the instant picture, the finished one.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from app.core.commission import Commission
from app.core.config import Settings
from app.core.specs import resolve
from bench.pictures import PAIRS, painting, photograph
from bench.sheet import card, laid_out, save
from workers.style.engine import Engine
from workers.style.resample import to_uint8

SHEET = Path(__file__).parents[1] / "docs" / "contact-sheet.jpg"
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


if __name__ == "__main__":
    main()
