"""One supervised process and everything it starts: a process group of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.local.logs import LOUD, ChildLog

_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class ChildSpec:
    """What to run, as data.

    Attributes:
        name: one word, for messages and the log file.
        argv: the command line.
        ready: tells whether it can be used; asked again and again after a start.
        ready_seconds: how long it may take for that.
        waits: whether the children before it have to be ready before it is started.
        stop_seconds: how long it has between SIGTERM and SIGKILL.
        env: variables beside the supervisor's own.
        cwd: folder it starts in; None: the supervisor's.
        loud: which of its lines the terminal shows.
        pass_fds: open files it inherits.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool] = lambda: True
    ready_seconds: float = 60.0
    waits: bool = True
    stop_seconds: float = 10.0
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    loud: re.Pattern[str] = LOUD
    pass_fds: tuple[int, ...] = ()


class Child:
    """A started process. Made in the supervisor's main thread: the kernel ties its life to the thread that made it."""

    def __init__(self, spec: ChildSpec, log: ChildLog) -> None:
        self.spec = spec
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(_LAUNCH), str(os.getpid()), *spec.argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **spec.env},
            cwd=spec.cwd,
            pass_fds=spec.pass_fds,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(log,), name=f"{spec.name}-log", daemon=True)
        self._reader.start()

    def _read(self, log: ChildLog) -> None:
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        with self._process.stdout as lines:
            log.take(lines)

    @property
    def pid(self) -> int:
        """Process id, and id of the process group."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Tell without reaping, so that the id still belongs to the dead and its group can be killed safely."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def terminate(self) -> None:
        """Ask the process itself, and not its group, to end: it knows how to end its own children."""
        if not self.has_ended():
            self._process.send_signal(signal.SIGTERM)

    def bury(self) -> int:
        """Kill what is left of the group, reap the process and return its exit code, negative for a signal."""
        if self._process.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
            self._reader.join(timeout=2)
        return self._process.returncode
