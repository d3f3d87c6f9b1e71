"""Everything that `make run` starts, in processes of its own: embedded broker, workers with the real networks, web server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Stack:
    address: str
    pid: int

    def painters(self) -> list[psutil.Process]:
        """The processes that hold an engine: children of the Celery parent that takes pictures."""
        found = psutil.Process(self.pid).children(recursive=True)
        celery = [process for process in found if "--queues stylize" in " ".join(process.cmdline())]
        return [process for process in celery if process.parent() in celery]


@contextmanager
def started(data: Path, settings: Mapping[str, str]) -> Iterator[Stack]:
    """Start an installation in its own data folder, and end it."""
    own = {"PENTIMENTO_DATA_DIR": str(data), "PENTIMENTO_HOST": "127.0.0.1", "PENTIMENTO_PORT": "0", "PENTIMENTO_MIN_FREE_MB": "0"}
    env = os.environ | own | settings
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
        raise AssertionError(f"the stack did not start: {''.join(said)}")
    yield Stack(found[1], process.pid)
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 0, rest
    process.stdout.close()
