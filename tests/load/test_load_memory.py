"""What the web process is said to have held at most counts what it has given back since."""

from __future__ import annotations

import subprocess
import sys

import psutil

from tests.load.served import Served

MUCH = 200_000_000


def test_a_peak_is_remembered_after_it() -> None:
    code = f"held = b'x' * {MUCH}; del held; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        now, peak = psutil.Process(process.pid).memory_info().rss, Served("", psutil.Process(process.pid)).peak
        process.stdin.close()
    assert now < MUCH < peak < 2 * MUCH
