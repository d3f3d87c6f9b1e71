"""The web server as a process of its own, as it is in service, with its memory to be looked at."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from app.core.config import Settings

_PATIENCE = 60.0


@dataclass(frozen=True)
class Served:
    """A web server: where it answers, and its process."""

    address: str
    process: psutil.Process

    @property
    def peak(self) -> int:
        """The most bytes that the web process has held since it was started; its decoders are processes of their own."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


@contextmanager
def served(settings: Settings) -> Iterator[Served]:
    """Serve with these settings for the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {f"PENTIMENTO_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_defaults=True).items()}
    environment = os.environ | given | {"PENTIMENTO_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "web"], env=environment, stderr=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, address)
        yield Served(address, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _wait(process: subprocess.Popen[str], address: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if httpx2.get(f"{address}/healthz", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"the web server did not start: {process.communicate()[1]}")
        time.sleep(0.05)
