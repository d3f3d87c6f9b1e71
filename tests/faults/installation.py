"""A running stack with stand-ins: its processes and how to hurt them, its rows and files."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
from redis.exceptions import RedisError

from app.core.config import Settings
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs.models import Job, State
from app.lab.janitor import Janitor
from tests.faults import checks

ROOT = Path(__file__).parents[2]
# Shared machines are slow at times: nothing here is a measurement.
PATIENCE = 120.0
SETTINGS = {
    "PENTIMENTO_HOST": "127.0.0.1",
    "PENTIMENTO_PORT": "0",
    "PENTIMENTO_MIN_FREE_MB": "0",
    "PENTIMENTO_LEASE_SECONDS": "2",
    "PENTIMENTO_HEARTBEAT_SECONDS": "0.5",
    "PENTIMENTO_SWEEP_SECONDS": "0.5",
    "PENTIMENTO_CHECKPOINT_SECONDS": "0.3",
    "PENTIMENTO_PREVIEW_SECONDS": "0.2",
    "PENTIMENTO_MAX_CRASHES": "50",
    "PENTIMENTO_MAX_ACTIVE_JOBS": "100000",
    "PENTIMENTO_MAX_QUEUE": "100000",
    "PENTIMENTO_UPLOADS_PER_MINUTE": "0",
    # The janitor is asked for by hand, once all is at rest.
    "PENTIMENTO_ORPHAN_SECONDS": "3600",
    "PENTIMENTO_WARM_UP": "false",
    "PENTIMENTO_WORKER_MEMORY_MB": "0",
}

# Where packages are kept is no matter of tests.
_SHARED = ("PENTIMENTO_CACHE", "PENTIMENTO_ARTEFACTS")


def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience:g} s")
        time.sleep(0.05)


class Installation:
    """Use it as a context manager.

    Args:
        data: its data folder.
        env: settings that differ from ``SETTINGS``, and ``FAULTS_…``.
    """

    def __init__(self, data: Path, env: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.armed = data / "armed"
        own = SETTINGS | {"PENTIMENTO_DATA_DIR": str(data), "FAULTS_DIR": str(self.armed)} | (env or {})
        others = {name: value for name, value in os.environ.items() if not name.startswith(("PENTIMENTO_", "FAULTS_")) or name in _SHARED}
        self._env = others | own
        self.settings = Settings.model_validate(
            {name.removeprefix("PENTIMENTO_").lower(): value for name, value in own.items() if name.startswith("PENTIMENTO_")}
        )
        self.pids: dict[str, int] = {}
        self.said: list[str] = []
        self.address = ""

    def __enter__(self) -> Self:
        self.armed.mkdir(parents=True, exist_ok=True)
        with (self.data / "stack.err").open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.stack"], cwd=ROOT, env=self._env, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            until(lambda: self.address or self._process.poll() is not None, "the stack is ready", 2 * PATIENCE)
            assert self.address, f"the stack did not start: {self.said[-5:]} {(self.data / 'stack.err').read_text()[-2000:]}"
            self.database = Database(self.settings.sql_url)
            checks.watch(self.database)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.database.close()
        self._end()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                # Its undertaker takes the rest along.
                self._process.kill()
                self._process.wait()
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if told["kind"] == "started":
                self.pids[told["name"]] = told["pid"]
            elif told["kind"] == "ready":
                self.address = told["address"]
            elif told["kind"] == "said":
                self.said.append(told["line"])

    @property
    def redis_url(self) -> str:
        return (self.data / "broker" / "url").read_text()

    @property
    def pictures(self) -> Path:
        return self.data / "pictures"

    def kill(self, name: str) -> int:
        """Kill a process and everything that it has started; return its id."""
        pid = self.pids[name]
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            return pid  # it has just died of something else
        return pid

    def signal(self, name: str, number: signal.Signals) -> int:
        pid = self.pids[name]
        os.kill(pid, number)
        return pid

    def wait_for_restart(self, name: str, before: int) -> None:
        """Wait until the process that was ``before`` has a successor."""
        until(lambda: self.pids[name] != before, f"{name} is started again")

    def flush(self) -> None:
        """Empty the broker; one that is away has nothing to lose."""
        try:
            with redis.Redis.from_url(self.redis_url, socket_connect_timeout=1, socket_timeout=5) as client:
                client.flushall()
        except (RedisError, OSError):
            return

    def rows(self) -> list[Job]:
        return checks.rows_of(self.database)

    def row(self, job_id: str) -> Job:
        with self.database.read() as session:
            return session.get_one(Job, job_id)

    def running(self, kind: str) -> list[Job]:
        return [job for job in self.rows() if job.state == State.RUNNING and job.kind == kind]

    def is_writable(self) -> bool:
        """Tell whether nobody keeps the database's write lock for himself."""
        with closing(sqlite3.connect(self.data / "pentimento.db", timeout=1.0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.rollback()
            return True

    def at_rest(self) -> bool:
        return not checks.unfinished(self.rows())

    def settle(self, patience: float = PATIENCE) -> float:
        """Wait until everything has ended, and return the seconds that took. What does not end is left to the checks."""
        began = time.monotonic()
        quiet_since: float | None = None
        while time.monotonic() - began < patience:
            if not self.at_rest():
                quiet_since = None
            elif quiet_since is None:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > 0.3:
                break
            time.sleep(0.05)
        return time.monotonic() - began

    def violations(self, ledger: checks.Ledger) -> list[str]:
        return checks.violations(self.rows(), checks.steps_of(self.database), self.pictures, ledger)

    def clean(self) -> list[str]:
        """Have the janitor clean up, to whom nothing is too young, and return what is left that no row names."""
        settings = self.settings.model_copy(update={"redis_url": self.redis_url, "orphan_seconds": 0.0})
        with redis.Redis.from_url(self.redis_url) as client:
            clients = Clients.of(settings, client)
            # Twice: removing half a file is a change of its folder, which is then left for the next time.
            for _ in range(2):
                Janitor(clients).clean()
            clients.broker.close()
            clients.database.close()
        return checks.unnamed(self.rows(), self.pictures)
