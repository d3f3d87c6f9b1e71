from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from skimage import data
from typer.testing import CliRunner

from app.cli import app
from app.core.config import Settings
from app.core.errors import InputError
from app.core.hypothesis import HypothesisStep
from app.lab import hypothesis_files
from app.local.hypothesis import labelled, note, pictures_in, spec_of

SOURCES = {"cat": data.chelsea(), "cup": data.coffee()}


def fill(folder: Path, count: int) -> Path:
    """Write parts of two pictures into folders of classes."""
    for klass, source in SOURCES.items():
        (folder / klass).mkdir(parents=True)
        for number in range(count):
            top, left = number * 23 % 150, number * 41 % 250
            Image.fromarray(source[top : top + 100, left : left + 100]).save(folder / klass / f"{number}.png")
    return folder


def styles(folder: Path) -> Path:
    folder.mkdir()
    for number in range(3):
        Image.fromarray(data.astronaut()[number * 90 : number * 90 + 128, number * 100 : number * 100 + 128]).save(folder / f"{number}.png")
    return folder


def test_folders_to_a_report(tmp_path: Path, weights_cache: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENTIMENTO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PENTIMENTO_CACHE", str(weights_cache.cache))
    arguments = ["lab", "hypothesis", str(fill(tmp_path / "labelled", 6)), "--styles", str(styles(tmp_path / "styles"))]
    arguments += ["-o", str(tmp_path / "out"), "--copies", "1", "--rounds", "2", "--seeds", "1", "--resamples", "100"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "The same in unseen styles" in done.stdout and "By themselves, on average over the grid" in " ".join(done.stdout.split())
    report = hypothesis_files.from_json((tmp_path / "out" / "hypothesis.json").read_bytes())
    assert (report.classes, report.seeds, len(report.seen), len(report.unseen)) == (("cat", "cup"), (0,), 2, 1)
    assert "<h1>Does it help? labelled</h1>" in (tmp_path / "out" / "hypothesis.html").read_text()
    assert (tmp_path / "out" / "hypothesis.csv").read_bytes().count(b"\r\n") > 100


def test_folders_are_read_as_the_lab_reads_an_archive(tmp_path: Path) -> None:
    fill(tmp_path / "all" / "photo", 2)
    fill(tmp_path / "all" / "sketch", 1)
    found = labelled(tmp_path / "all")
    assert [(path.name, klass, domain) for path, klass, domain in found] == [
        ("0.png", "cat", "photo"),
        ("1.png", "cat", "photo"),
        ("0.png", "cup", "photo"),
        ("1.png", "cup", "photo"),
        ("0.png", "cat", "sketch"),
        ("0.png", "cup", "sketch"),
    ]


def test_folders_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no pictures .* in folders of classes"):
        labelled(tmp_path)
    with pytest.raises(InputError, match=r"no styles"):
        pictures_in((tmp_path,))


def test_a_value_out_of_range_is_told_by_its_title() -> None:
    with pytest.raises(InputError, match=r"Rounds: input should be a multiple of 2. Received: 3."):
        spec_of({"rounds": 3})
    assert spec_of({"seeds": None, "copies": 3}).copies == 3


def test_what_stands_beside_the_bar() -> None:
    step = HypothesisStep("describe", 0.1, 5.0, 61.4, 12, 90, 0, 45)
    assert note(step) == "12/90  61 s left"
    step = HypothesisStep("train", 0.7, 5.0, None, 90, 90, 3, 45, seed=2, augmentation="style", contrast="supcon")
    assert note(step) == "3/45  seed 2: Style transfer, SupCon"
