"""`pentimento lab run`, with the configuration that docs/lab.md shows and the real networks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from app.core.config import Settings
from app.core.errors import InputError, ParameterErrors
from app.core.report import Report
from app.imaging.decode import DecoderPool, Limits
from app.local import lab_config
from app.local.experimenting import _labelled
from workers.verdict.detector import from_bytes

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "static" / "samples"


def documented() -> str:
    found = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "lab.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The documented configuration beside its folders: four photographs, two paintings, and a file that is no picture."""
    for name, role, pictures in (
        ("photos", "content", ("astronaut", "chelsea", "coffee", "rocket")),
        ("paintings", "style", ("night", "poppies")),
    ):
        (tmp_path / name).mkdir()
        for picture in pictures:
            (tmp_path / name / f"{picture}.jpg").write_bytes((SAMPLES / role / f"{picture}.jpg").read_bytes())
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "config.toml").write_text(documented())
    return tmp_path


def test_labelled_folders_bring_bytes_and_format_of_their_files(tmp_path: Path, settings: Settings) -> None:
    for name in ("original", "stylised"):
        (tmp_path / name).mkdir()
    sample = SAMPLES / "content" / "coffee.jpg"
    (tmp_path / "original" / "one.jpg").write_bytes(sample.read_bytes())
    Image.open(sample).save(tmp_path / "stylised" / "one.jpg", "PNG")
    with DecoderPool(1, Limits.of(settings)) as pool:
        found = [(one["label"], one["sent"]) for one in _labelled(tmp_path, pool)]
    assert found == [(0, (sample.stat().st_size, "JPEG")), (1, ((tmp_path / "stylised" / "one.jpg").stat().st_size, "PNG"))]


def run(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", "lab", "run", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_the_documented_configuration_gives_a_report(folder: Path, weights_cache: Settings) -> None:
    done = run(folder / "config.toml")
    assert done.returncode == 0, done.stderr
    assert "Left out: broken.jpg." in done.stderr
    assert "Contents and styles" in done.stdout
    output = folder / "report"
    assert {path.name for path in output.iterdir()} == {
        "report.html",
        "report.json",
        "metrics.csv",
        "scores.csv",
        "detector.safetensors",
    }
    report = Report.model_validate_json((output / "report.json").read_bytes())
    assert [split.name for split in report.splits] == ["train_is_test", "content", "content_style", "generator"]
    assert {picture.generator for picture in report.pictures} == {"", "instant, size 128", "instant, size 160"}
    assert (len(report.pictures), len(report.training)) == (4 + 4 * 2 * 2, 10)
    assert {run.held_out for run in report.split("generator").runs} == {"instant, size 128", "instant, size 160"}
    assert {one.name: one.sound for one in report.findings}["style_twins"], "both paintings' fingerprints are known, and differ"
    detector = from_bytes((output / "detector.safetensors").read_bytes())
    assert (detector.feature_set.name, detector.largest) == (report.spec.features, 128)
    manifest = [json.loads(line) for line in (folder / "work" / "manifest.jsonl").read_text().splitlines()]
    assert len(manifest) == 16
    assert all((folder / "work" / "pictures" / line["file"]).is_file() for line in manifest)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('contents = "photos"', 'contents = "gone"', "dataset.contents is no folder"),
        ('styles = "paintings"', "", "either folder, or contents and styles"),
        ('preset = "quick"', 'preset = "quickest"', "no experiment called 'quickest'"),
        ("size = 128", "size = 1", "from 64 to 4096"),
        ("size = 128", "size = 160", "Two generators are the same"),
        ("epochs = 10", "epoch = 10", "no parameter called 'training.epoch'"),
        ("[dataset]", "[data", "not well-formed TOML"),
        ("[dataset]", "[datasets]", "field required"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_painted(folder: Path, old: str, new: str, said: str) -> None:
    path = folder / "config.toml"
    assert documented().count(old) >= 1
    path.write_text(documented().replace(old, new, 1))
    with pytest.raises((InputError, ParameterErrors), match=re.escape(said)):
        lab_config.read(path)


def test_no_such_file_is_a_mistake_of_the_user_s(tmp_path: Path) -> None:
    done = run(tmp_path / "none.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be read" in done.stderr


def test_folders_are_relative_to_the_file_and_defaults_are_stated(folder: Path) -> None:
    (folder / "config.toml").write_text('[dataset]\ncontents = "photos"\nstyles = "paintings"\n')
    config = lab_config.read(folder / "config.toml")
    assert (config.output, config.work, config.dataset.contents) == (folder / "report", folder / "work", folder / "photos")
    assert [way.name for way in config.ways] == ["instant"]
    assert config.spec.seeds == 5
