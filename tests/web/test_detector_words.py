"""What stands beside every verdict comes from the detector's file, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from app.core.verdicts import MOST_ABOVE, MOST_BELOW
from app.web.detector_words import DetectorWords, facts_in, words
from workers.verdict.training import band

FACTS = {
    "pictures": {"train": {"photograph": 1234, "painting": 300, "style": 20, "adain": 900, "optimiser": 350}},
    "validation": {"called_stylised": 0.0213, "found": 0.957},
}


def test_facts_are_read_from_the_file_s_header(tmp_path: Path) -> None:
    path = tmp_path / "detector.safetensors"
    path.write_bytes(save({"weights": np.ones(3, np.float32)}, {"detector": json.dumps({"facts": FACTS})}))
    assert facts_in(path) == FACTS


@pytest.mark.parametrize("data", [b"", b"\xff" * 30, save({"weights": np.ones(3, np.float32)}), None])
def test_a_file_that_says_nothing_leaves_nothing_to_say(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "detector.safetensors"
    if data is not None:
        path.write_bytes(data)
    assert facts_in(path) == {}
    assert words(facts_in(path)) == DetectorWords()


def test_facts_become_sentences() -> None:
    said = words(FACTS, "/docs/model-card")
    assert (
        said.learnt
        == "It has learnt from 1,234 photographs, 300 paintings and 20 pictures used as styles and from 1,250 stylised pictures."
    )
    assert said.measured == (
        "Of pictures it had not learnt from, it called 2 % of the originals stylised, and found 96 % of the stylised ones."
    )
    assert said.covered == (
        "It was set on pictures that the detector had not learnt from: at most 1 % of the photographs and of the "
        "paintings lie above it, and at most 1 % of each generator's pictures below."
    )
    assert said.card == "/docs/model-card"
    assert (
        words({"pictures": {"train": {"photograph": 10, "adain": 5}}}).learnt
        == "It has learnt from 10 photographs and from 5 stylised pictures."
    )


def test_no_more_lies_outside_the_band_than_is_said_of_it() -> None:
    rng = np.random.default_rng(3)
    group = np.repeat(["photograph", "painting", "adain", "optimiser"], [4000, 1000, 900, 700])
    logits = rng.normal(np.where(np.isin(group, ["adain", "optimiser"]), 1.5, -1.5), 2.0)
    found, probability = band(logits, group), 1 / (1 + np.exp(-logits))
    above = max((probability[group == name] > found.high).mean() for name in ("photograph", "painting"))
    below = max((probability[group == name] < found.low).mean() for name in ("adain", "optimiser"))
    # The band's ends have three digits.
    assert 0 < above <= MOST_ABOVE + 0.002
    assert 0 < below <= MOST_BELOW + 0.002
