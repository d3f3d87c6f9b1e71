"""The whole stack as `make run` starts it: embedded broker, Celery worker, real weights, web server."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import skimage.data
from PIL import Image

from app.core.config import Settings


@dataclass(frozen=True)
class Stack:
    address: str
    pid: int

    def painters(self) -> list[psutil.Process]:
        """The processes that hold an engine: children of the Celery parent that takes pictures."""
        found = psutil.Process(self.pid).children(recursive=True)
        celery = [process for process in found if "--queues stylize" in " ".join(process.cmdline())]
        return [process for process in celery if process.parent() in celery]


@pytest.fixture(scope="session")
def running(weights_cache: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running installation with a data folder of its own, quick to notice a dead worker."""
    data = tmp_path_factory.mktemp("whole stack") / "data"
    env = os.environ | {
        "PENTIMENTO_DATA_DIR": str(data),
        "PENTIMENTO_HOST": "127.0.0.1",
        "PENTIMENTO_PORT": "0",
        "PENTIMENTO_MIN_FREE_MB": "0",
        "PENTIMENTO_PREVIEW_SECONDS": "0.1",
        "PENTIMENTO_LEASE_SECONDS": "6",
        "PENTIMENTO_HEARTBEAT_SECONDS": "1",
        "PENTIMENTO_SWEEP_SECONDS": "1",
        "PENTIMENTO_CHECKPOINT_SECONDS": "0.5",
    }
    env.pop("PENTIMENTO_REDIS_URL", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"ready at (http://\S+)", line):
            break
    else:
        pytest.fail(f"the stack did not start: {''.join(said)}")
    yield Stack(found[1], process.pid)
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 0, rest
    process.stdout.close()


@pytest.fixture(scope="session")
def stack(running: Stack) -> str:
    """The address of the running installation."""
    return running.address


def _jpeg(pixels: object, size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def photograph() -> bytes:
    """A cat, 300 × 200."""
    return _jpeg(skimage.data.chelsea(), (300, 200))


@pytest.fixture(scope="session")
def painting() -> bytes:
    return Path("static/samples/style/night.jpg").read_bytes()


@pytest.fixture(scope="session")
def files(photograph: bytes, painting: bytes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same pictures as files, to choose in a browser."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "cat.jpg").write_bytes(photograph)
    (folder / "night.jpg").write_bytes(painting)
    return folder / "cat.jpg", folder / "night.jpg"
