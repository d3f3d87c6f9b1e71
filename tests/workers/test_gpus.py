from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.gpus import environment


@pytest.mark.parametrize(
    ("there", "visible", "expected"),
    [
        (0, None, [None, None, None]),
        (1, None, [None, None, None]),
        (2, None, ["0", "1", "0"]),
        # Who names them shares out those, and no others.
        (4, "2,3", ["2", "3", "2"]),
        (4, "GPU-a,GPU-b,GPU-c", ["GPU-a", "GPU-b", "GPU-c"]),
        (4, "1", [None, None, None]),
        (4, "", [None, None, None]),
    ],
)
def test_each_child_has_one_gpu(tmp_path: Path, there: int, visible: str | None, expected: list[str | None]) -> None:
    for number in range(there):
        (tmp_path / f"0000:{number:02x}:00.0").mkdir()
    given = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert [environment(index, given, tmp_path).get("CUDA_VISIBLE_DEVICES") for index in range(3)] == expected


@pytest.mark.parametrize(("given", "found"), [({}, "true"), ({"TF_FORCE_GPU_ALLOW_GROWTH": "false"}, "false")])
def test_memory_grows_as_needed_unless_someone_says_otherwise(given: dict[str, str], found: str) -> None:
    bare = {name: value for name, value in os.environ.items() if name != "TF_FORCE_GPU_ALLOW_GROWTH"}
    said = "import workers.nets, os; print(os.environ['TF_FORCE_GPU_ALLOW_GROWTH'])"
    told = subprocess.run([sys.executable, "-c", said], env=bare | given, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == found
