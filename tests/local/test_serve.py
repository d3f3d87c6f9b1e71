"""`pentimento serve` as a user starts it: the real broker, worker, web server and weights."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from app.core.config import Settings
from app.infra.database import migrate

PATIENCE = 180.0


class Serve:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.process = start(data, 0)
        self.address = self.wait_for(r"ready at (http://127\.0\.0\.1:\d+) ")[1]

    def wait_for(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern!r} was never said: {''.join(lines)}")

    def tree(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, part: str) -> psutil.Process:
        return next(child for child in psutil.Process(self.process.pid).children() if part in " ".join(child.cmdline()))

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=10) as answer:  # noqa: S310 - our own address
                return bool(json.load(answer)["ready"])
        except OSError:
            return False


def start(data: Path, port: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PENTIMENTO_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    serve = Serve(tmp_path_factory.mktemp("serve") / "data folder")
    try:
        yield serve
    finally:
        if serve.process.poll() is None:
            serve.process.kill()
        serve.process.communicate()


def test_everything_is_ready_when_it_says_so(serve: Serve) -> None:
    assert serve.is_ready()


def test_a_second_start_in_the_same_folder_is_one_clear_line(serve: Serve) -> None:
    second = start(serve.data, 0)
    out, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert out.splitlines() == [
        f"Pentimento already runs in the data folder {serve.data} (process {serve.process.pid}, {serve.address}). "
        "Stop that one, or choose another folder with PENTIMENTO_DATA_DIR."
    ]


def test_a_taken_port_is_one_clear_line(serve: Serve, tmp_path: Path) -> None:
    port = int(serve.address.rpartition(":")[2])
    second = start(tmp_path, port)
    out, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert out.splitlines() == [f"Port {port} on 127.0.0.1 is taken by another program. Choose another one: make run PORT={port + 1}"]


def test_a_database_of_a_newer_version_is_one_clear_line(tmp_path: Path) -> None:
    migrate(Settings(data_dir=tmp_path))
    with closing(sqlite3.connect(tmp_path / "pentimento.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    process = start(tmp_path, 0)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    (line,) = out.splitlines()
    assert line.startswith("The database was made by a newer version of Pentimento")


@pytest.mark.parametrize(("name", "part"), [("web", "--fd"), ("worker", "--queues stylize"), ("judge", "--queues verdict")])
def test_a_killed_process_comes_back_and_all_is_ready_again(serve: Serve, name: str, part: str) -> None:
    killed = serve.child(part)
    its_own = killed.children(recursive=True)
    killed.kill()
    serve.wait_for(rf"^{name} ended \(killed by signal 9\); starting it again in 0\.5 s")
    until(lambda: all(is_gone(process) for process in its_own))
    until(serve.is_ready)


def test_ctrl_c_ends_everything(serve: Serve) -> None:
    started = serve.tree()
    assert len(started) >= 4
    serve.process.send_signal(signal.SIGINT)
    serve.wait_for("^Stopped")
    assert serve.process.wait(PATIENCE) == 0
    assert all(is_gone(process) for process in started)
    assert not list(serve.data.glob(".probe-*"))
