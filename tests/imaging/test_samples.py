"""The samples on the page: all there, decodable, described, small enough to send."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.imaging.limits import Limits
from app.imaging.normalise import normalise

FOLDER = Path(__file__).resolve().parents[2] / "static" / "samples"
CATALOGUE = json.loads((FOLDER / "samples.json").read_text())
SAMPLES = [(kind, sample) for kind, samples in CATALOGUE.items() for sample in samples]


def test_catalogue_and_folder_agree() -> None:
    assert {sample["file"] for _, sample in SAMPLES} == {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.jpg")}
    assert len(CATALOGUE["content"]) >= 5
    assert len(CATALOGUE["style"]) >= 10
    assert sum((FOLDER / sample["file"]).stat().st_size for sample in CATALOGUE["content"]) <= 1_200_000


@pytest.mark.parametrize(("kind", "sample"), SAMPLES, ids=[sample["file"] for _, sample in SAMPLES])
def test_each_is_a_described_picture(kind: str, sample: dict[str, str]) -> None:
    assert sample["file"].startswith(f"{kind}/")
    assert all(sample[name].strip() for name in ("title", "alt", "source", "licence"))
    assert len(sample["alt"]) > len(sample["title"])
    data = (FOLDER / sample["file"]).read_bytes()
    assert len(data) <= 200_000
    decoded = normalise(data, Limits())
    assert 400 <= max(decoded.width, decoded.height) <= 1024


def test_titles_differ() -> None:
    titles = [sample["title"] for _, sample in SAMPLES]
    assert len(set(titles)) == len(titles)
