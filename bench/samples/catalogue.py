"""The list of samples the page offers, kept beside the pictures as ``samples.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

FOLDER = Path(__file__).resolve().parents[2] / "static" / "samples"


class Sample(TypedDict):
    """One picture: its file below ``static/samples``, what a person reads, what a screen reader says, where it is from."""

    file: str
    title: str
    alt: str
    source: str
    licence: str


def write(kind: str, samples: list[Sample]) -> None:
    """Replace the list of ``kind`` ("content" or "style"), leaving the other as it is."""
    path = FOLDER / "samples.json"
    catalogue: dict[str, list[Sample]] = json.loads(path.read_text()) if path.exists() else {"content": [], "style": []}
    catalogue[kind] = samples
    path.write_text(json.dumps(catalogue, indent=2, ensure_ascii=False) + "\n")
