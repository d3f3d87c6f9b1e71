"""What `pentimento stylize` checks before, and writes after, the engine's work."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.core.config import Settings
from app.core.errors import InputError, StorageFull
from app.core.progress import Losses, Progress, StopRequested
from app.core.specs import StyleParams, resolve
from app.imaging import encode
from app.imaging.normalise import Decoded
from app.local import painting
from app.local.options import with_style_options


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "app.cli", "stylize", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encode.png(np.full((64, 64, 3), 90, np.uint8)))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"photo": "missing.png"}, "missing.png cannot be read: No such file or directory."),
        ({"-o": "out.gif"}, "has to end in .png, .jpg, .jpeg, .tif or .tiff. Received: out.gif"),
        ({"-o": "out.jpg", "--depth": "16"}, "a PNG or TIFF can have 16. Received: 16 for out.jpg"),
        ({"--weight": "0"}, "A weight is a number above 0, up to 100. Received: 0."),
        ({"-o": "no/such/folder.png"}, "lies in one that does not exist"),
        ({"--size": "9"}, "Size: give a whole number from 64 to 4096. Received: 9."),
        ({"--preset": "none"}, "There is no preset called 'none'. Choose one of: instant, fast, default, fine, paper."),
        ({"--preset": "fine", "--size": "100"}, "Iterations: at size 100 there is room for 2 scales"),
        ({"--optimiser": "sgd"}, "Optimiser: give one of: lbfgs, adam. Received: 'sgd'"),
    ],
)
def test_a_mistake_is_one_line_and_ends_with_two(photo: Path, tmp_path: Path, changes: dict[str, str], message: str) -> None:
    given = {"photo": str(photo), "--style": str(photo), "-o": str(tmp_path / "out.png"), **changes}
    done = run(given.pop("photo"), *(part for pair in given.items() for part in pair))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_a_file_that_is_no_picture_is_named_so(photo: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("not a picture")
    done = run(photo, "--style", text, "-o", tmp_path / "out.png")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_of_its_pictures_the_regions_alone_are_read_as_such(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = {}

    def far_enough(settings: Settings) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(painting.DecoderPool, "decode", lambda pool, data, *, field, region: read.update({field: region}))
    monkeypatch.setattr(painting, "prepare_weights", far_enough)
    with pytest.raises(KeyboardInterrupt):
        order = painting.Order(photo, (photo,), tmp_path / "out.png", "fast", StyleParams(), False, protect=photo)
        painting.paint(Settings(), dataclasses.replace(order, masks=(photo,), parts=(photo,)))
    assert read == {"content": False, "style": False, "style-mask": True, "style-part": True, "protect": True}


def test_an_existing_file_is_kept_without_force(photo: Path) -> None:
    with pytest.raises(InputError, match="--force"):
        painting.check_output(photo, force=False)
    painting.check_output(photo, force=True)


def test_weights_and_regions_go_with_paintings(photo: Path) -> None:
    def order(count: int, **given: Any) -> painting.Order:
        return painting.Order(photo, (photo,) * count, Path("out.png"), "fast", resolve("fast"), False, **given)

    painting.check_paintings(order(2, weights=(3.0, 1.0), masks=(photo, None), parts=(None, photo)))
    painting.check_paintings(order(1))
    for wrong, said in (
        (order(2, weights=(1.0,)), "Received: 1 for 2"),
        (order(5), "At most 4"),
        (order(1, weights=(101.0,)), "101"),
        (order(2, masks=(photo,)), "one --mask for each --style, or none; --mask - leaves one out. Received: 1 for 2"),
        (order(1, parts=(photo, None)), "one --part for each --style, or none; --part - leaves one out. Received: 2 for 1"),
    ):
        with pytest.raises(InputError, match=said):
            painting.check_paintings(wrong)


def test_a_dash_leaves_a_paintings_region_out(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[painting.Order] = []
    monkeypatch.setattr(painting, "paint", lambda _, order: seen.append(order))
    given = "--style a.png --style b.png --mask - --mask m.png --part p.png --part - --protect k.png -o out.png"
    done = CliRunner().invoke(app, ["stylize", str(photo), *given.split()])
    assert done.exit_code == 0, done.output
    files = {"content": photo, "style": "a.png", "style-part": "p.png", "style2": "b.png", "style2-mask": "m.png", "protect": "k.png"}
    assert seen[0].files == {role: Path(path) for role, path in files.items()}


def test_the_order_becomes_a_commission_and_digests(photo: Path) -> None:
    def given(level: int) -> Decoded:
        return Decoded(64, 64, encode.png(np.full((64, 64, 3), level, np.uint8)), b"")

    order = painting.Order(photo, (photo, photo), Path("out.tif"), "fast", resolve("fast"), False, (3.0, 1.0), photo)
    levels = {"content": 10, "style": 20, "style-mask": 51, "style-part": 102, "style2": 30, "protect": 255}
    pictures = {role: given(level) for role, level in levels.items()}
    made = painting.commission_of(order, pictures)
    assert [(style.weight, style.pixels[0, 0, 0]) for style in made.styles] == [(3, 20), (1, 30)]
    first, second = made.styles
    assert first.mask is not None and first.part is not None and second.mask is second.part is None
    assert (first.mask.mean(), first.part.mean()) == (pytest.approx(0.2), pytest.approx(0.4))
    assert made.protect is not None
    np.testing.assert_allclose(made.protect, 1.0, atol=1e-6)
    digests = [painting.digest(order, role, picture) for role, picture in pictures.items()]
    assert [(one.role, one.weight) for one in digests] == [
        ("content", 1),
        ("style", 3),
        ("mask", 1),
        ("part", 1),
        ("style", 1),
        ("protect", 1),
    ]


def test_a_file_is_written_whole_with_the_usual_rights(tmp_path: Path) -> None:
    painting.write(tmp_path / "out.png", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"whole"
    (tmp_path / "usual").touch()
    usual = (tmp_path / "usual").stat().st_mode
    assert stat.S_IMODE((tmp_path / "out.png").stat().st_mode) == stat.S_IMODE(usual)


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOSPC, StorageFull, "disk is full"),
        (errno.EDQUOT, StorageFull, "disk is full"),
        (errno.EACCES, InputError, "Permission denied. Choose another place."),
        (errno.EROFS, InputError, "Read-only file system. Choose another place."),
    ],
)
def test_why_a_picture_could_not_be_written_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], said: str
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "out.png").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=said):
        painting.write(tmp_path / "out.png", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"old"


def step(**changes: object) -> Progress:
    facts = {
        "stage": "refine",
        "scale": 256,
        "iteration": 3,
        "iterations": 85,
        "fraction": 0.1,
        "losses": None,
        "elapsed": 2.0,
        "remaining": None,
    }
    return Progress(**{**facts, "preview": None, **changes})  # type: ignore[arg-type]


def test_the_note_beside_the_bar_says_only_what_is_known() -> None:
    assert painting.note(step(), None) == "256 px  3/85"
    losses = Losses(content=1.0, style=2.0, tv=0.0, total=3.0)
    # A part of an iteration has no losses of its own: those of the one before stay.
    assert painting.note(step(remaining=41.6), losses) == "256 px  3/85  loss 3  42 s left"


def test_a_stop_is_passed_to_the_engine_at_its_next_step() -> None:
    follower = painting.Follower()
    follower.follow(step(iteration=4, preview=np.zeros((4, 4, 3), np.uint8)))
    follower.stopped = True
    with pytest.raises(StopRequested):
        follower.follow(step(iteration=5))


def test_a_stop_before_the_first_picture_ends_without_one() -> None:
    follower = painting.Follower()
    follower.stopped = True
    with pytest.raises(KeyboardInterrupt):
        follower.follow(step(stage="prepare", iteration=0))
    # What comes before the first iteration of a large picture that begins at the photograph.
    with pytest.raises(KeyboardInterrupt):
        follower.follow(step(iteration=0))


def test_every_parameter_is_an_option_and_reaches_the_command() -> None:
    def command(photo: str, **parameters: object) -> None:
        del photo, parameters

    options = with_style_options(command).__signature__.parameters  # type: ignore[attr-defined]
    assert list(options) == ["photo", *StyleParams.model_fields]
    assert all(options[name].default is None for name in StyleParams.model_fields)
