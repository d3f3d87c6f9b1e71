from __future__ import annotations

import hashlib
from pathlib import Path

from workers.verdict.detector import SHIPPED, read

CARD = (Path(__file__).parents[2] / "docs" / "model-card.md").read_text()


def test_the_model_card_is_of_the_shipped_file() -> None:
    assert f"SHA-256 `{hashlib.sha256(SHIPPED.read_bytes()).hexdigest()}`" in CARD
    assert f"{SHIPPED.stat().st_size:,} bytes" in CARD


def test_the_model_card_states_band_and_numbers_of_the_file() -> None:
    detector = read()
    assert f"above a probability of {detector.band.high}" in CARD and f"below {detector.band.low}" in CARD
    assert f"{detector.feature_set.length:,} means and mean squares" in CARD
    pictures = detector.facts["pictures"]
    for group, title in (("photograph", "Photographs"), ("painting", "Real paintings"), ("adain", "AdaIN"), ("optimiser", "Optimiser")):
        assert f"| {title} | {pictures['train'][group]} | {pictures['validation'][group]} |" in CARD
