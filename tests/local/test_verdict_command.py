"""`pentimento verdict` with the shipped detector."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "static" / "samples"
PICTURES = [SAMPLES / "content" / "coffee.jpg", SAMPLES / "content" / "chelsea.jpg"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "app.cli", "verdict", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_json_is_a_list_in_the_order_given_and_a_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    bad = tmp_path / "bad [one].jpg"
    bad.write_bytes(b"\xff\xd8\xff no picture")
    done = run(PICTURES[0], bad, tmp_path / "missing.png", PICTURES[1], "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [one["file"] for one in found] == [str(PICTURES[0]), str(bad), str(tmp_path / "missing.png"), str(PICTURES[1])]
    for place in (0, 3):
        assert set(found[place]) == {"file", "probability", "verdict", "logit"}
        assert found[place]["verdict"] == "original" and 0 <= found[place]["probability"] < 0.5
    assert found[1]["error"] and "cannot be read" in found[2]["error"]


def test_csv_and_table(tmp_path: Path) -> None:
    done = run(PICTURES[0], "--csv")
    assert done.returncode == 0, done.stderr
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["file"] == str(PICTURES[0]) and row["verdict"] == "original" and row["error"] == ""
    assert float(row["logit"]) < 0


def test_both_forms_at_once_are_refused() -> None:
    done = run(PICTURES[0], "--csv", "--json")
    assert done.returncode == 2 and "--json" in done.stderr


def test_many_files_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never more than a few dozen decoded pictures ahead of what has been judged."""
    import threading
    from collections.abc import Iterable, Iterator

    import numpy as np

    from app.core.config import Settings
    from app.core.errors import PictureError
    from app.core.verdicts import Score
    from app.local import judging
    from workers.verdict import judge

    lock, decoded, judged, most = threading.Lock(), 0, 0, 0

    def decode(pool: object, path: Path) -> np.ndarray:
        nonlocal decoded, most
        with lock:
            decoded += 1
            most = max(most, decoded - judged)
        if path.name.endswith("7"):
            raise PictureError("Not a picture.")
        return np.zeros((8, 8, 3), np.uint8)

    class Counting:
        def __init__(self, settings: Settings) -> None: ...

        def probabilities(self, pictures: Iterable[np.ndarray]) -> Iterator[Score]:
            nonlocal judged
            for _ in pictures:
                judged += 1
                yield Score(probability=0.25, logit=-1.0986, decision="original")

    monkeypatch.setattr(judging, "_decoded", decode)
    monkeypatch.setattr(judging, "prepare_weights", lambda settings: None)
    monkeypatch.setattr(judge, "Judge", Counting)
    found = judging.judge_files(Settings(), [Path(f"picture {number}") for number in range(500)])
    assert [finding.file for finding in found] == [f"picture {number}" for number in range(500)]
    assert [number for number, finding in enumerate(found) if finding.error] == list(range(7, 500, 10))
    # Errors count as decoded and never as judged.
    assert most <= 50 + 2 * 8
