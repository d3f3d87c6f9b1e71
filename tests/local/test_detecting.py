"""`pentimento detector` from folders to a file and its figures, with a network that sees only how rough a picture is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.core.config import Settings
from app.core.features import FeatureSet
from app.local import detecting, training_bank
from app.local.making import make
from app.local.training_plan import plan
from workers.verdict.detector import read


class Rough:
    """Stands for the FeatureCache: every feature is the picture's roughness, and a little noise."""

    precision = "float32"

    def describe(
        self, pictures: Iterable[np.ndarray], feature_set: FeatureSet, *, on_progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        rows = []
        for number, picture in enumerate(pictures, 1):
            rough = float(np.abs(np.diff(picture.astype(float), axis=0)).mean())
            rows.append(np.random.default_rng(number).normal(rough, 1.0, feature_set.length))
            if on_progress:
                on_progress(number)
        return np.array(rows, np.float32)


@pytest.fixture
def shop(tmp_path: Path) -> detecting.Workshop:
    rng = np.random.default_rng(0)
    for folder, count in (("photos", 30), ("art", 20), ("styles", 16)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            Image.fromarray(np.full((70, 90, 3), rng.integers(0, 256, 3), np.uint8)).save(tmp_path / folder / f"{number}.png")
    folders = ((tmp_path / name,) for name in ("photos", "art", "styles"))
    shop = detecting.Workshop(*folders, tmp_path / "work", seed=1)

    def rough(content: np.ndarray, style: np.ndarray, recipe: object) -> np.ndarray:
        return rng.integers(0, 256, (70, 90, 3), np.uint8)

    assert all(made.error is None for made in make(plan(shop.sources, 40, 20, 1), shop.pictures, rough))
    return shop


def test_from_folders_to_a_file_and_its_figures(
    shop: detecting.Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(detecting, "_cache", lambda settings, shop: Rough())
    output, report = tmp_path / "detector.safetensors", tmp_path / "report.json"
    detecting.train(Settings(), shop, output)
    detector = read(output)
    assert detector.facts["validation"] == {"called_stylised": 0.0, "found": 1.0}
    counts = detector.facts["pictures"]
    assert counts["train"]["photograph"] + counts["validation"]["photograph"] < 30
    strangers = tmp_path / "others"
    strangers.mkdir()
    Image.fromarray(np.random.default_rng(9).integers(0, 256, (64, 64, 3), np.uint8)).save(strangers / "one.png")
    detecting.evaluate(Settings(), shop, output, (strangers,), report)
    assert f"SHA-256 {detector.digest}" in (said := capsys.readouterr().out)
    lines = {(line["group"], line["view"], line["figure"]): line for line in json.loads(report.read_text())["lines"]}
    assert lines["others", "halved", "called stylised"]["count"] == 1
    assert lines["adain", "clean", "AUROC"]["value"] == 1.0
    # One generator teaches the other here: both are rough.
    assert lines["optimiser", "clean, trained without optimiser", "AUROC"]["met"] is True
    assert "| others | clean | AUROC |" in said


def test_banks_hold_every_view_and_share_no_picture(shop: detecting.Workshop) -> None:
    parts = {part: training_bank.items(shop.sources, part, 1, shop.pictures) for part in ("train", "validation", "test")}
    paths = [item.path for chosen in parts.values() for item in chosen]
    assert len(paths) == len(set(paths)) == 66 + 60
    for chosen in parts.values():
        originals = {item.content for item in chosen if item.group == "photograph"}
        assert {item.content for item in chosen if item.style} <= originals
    # By this order a neighbour's kind is told.
    order = ["photograph", "painting", "style"]
    originals = [item.group for item in parts["train"] if not item.style]
    assert set(originals) == set(order)
    assert [item.group for item in parts["train"]][: len(originals)] == sorted(originals, key=order.index)
    bank = training_bank.describe(Rough(), parts["train"], training_bank.worn_views)  # type: ignore[arg-type]
    assert len(bank.group) == (1 + training_bank.WORN) * len(parts["train"])
    again = training_bank.describe(Rough(), parts["train"], training_bank.worn_views)  # type: ignore[arg-type]
    np.testing.assert_array_equal(bank.features, again.features)
    worn = bank.features[:, 0][bank.view == "worn 0"]
    assert not np.array_equal(worn, bank.features[:, 0][bank.view == "worn 1"])
