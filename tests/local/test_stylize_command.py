"""`pentimento stylize` with the real engine and weights, at a small size."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from app.core.specs import resolve
from app.core.version import VERSION
from app.imaging import receipt

SAMPLES = Path(__file__).parents[2] / "static" / "samples"
CONTENT = SAMPLES / "content" / "coffee.jpg"
STYLE = SAMPLES / "style" / "sunset.jpg"


def command(output: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "app.cli", "stylize", str(CONTENT), "--style", str(STYLE), "-o", str(output), "--size", "96", *options]


@pytest.mark.parametrize(("name", "kind"), [("out.png", "PNG"), ("out.JPG", "JPEG")])
def test_a_picture_with_its_receipt_in_the_format_of_its_name(tmp_path: Path, name: str, kind: str) -> None:
    output = tmp_path / name
    done = subprocess.run(command(output, "--iterations", "2,1", "--strength", "2"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with Image.open(CONTENT) as photo, Image.open(io.BytesIO(output.read_bytes())) as picture:
        picture.load()
        assert picture.format == kind
        assert max(picture.size) == 96
        assert picture.width / picture.height == pytest.approx(photo.width / photo.height, rel=0.03)
    stated = receipt.read(output.read_bytes())
    assert stated is not None
    assert stated.parameters == resolve("default", {"size": 96, "iterations": (2, 1), "strength": 2})
    assert (stated.version, stated.iterations, stated.planned, stated.stopped_early) == (VERSION, 3, 3, False)
    assert set(stated.weights) == {"vgg19", "adain_decoder"}


def test_ctrl_c_keeps_the_best_picture_so_far(tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    # The bar is drawn on terminals only, and says when there is something to keep.
    terminal, other_end = os.openpty()
    process = subprocess.Popen(
        command(output, "--iterations", "5000"), stdout=subprocess.PIPE, stderr=other_end, env={**os.environ, "TERM": "xterm"}
    )
    os.close(other_end)
    try:
        shown = b""
        while b"Painting" not in shown:
            shown += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        drain = threading.Thread(target=_drain, args=(terminal,), daemon=True)
        drain.start()
        out, _ = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert process.returncode == 0
    assert b"of 5000 iterations" in out
    stated = receipt.read(output.read_bytes())
    assert stated is not None
    assert stated.stopped_early
    assert 0 < stated.iterations < 5000


def _drain(terminal: int) -> None:
    """Read on, so that the program is not held by a full terminal."""
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:  # the program has ended
        return
