"""Does each kind of harm to an installation, at moments that a seed decides."""

from __future__ import annotations

import random
import signal
import time
from contextlib import suppress

import psutil
from celery import Celery  # type: ignore[import-untyped]

from app.infra.broker import sender_config
from app.jobs.models import STYLIZE, TASKS, State
from tests.faults import crash_points
from tests.faults.checks import Acknowledged, steps_of
from tests.faults.engine import place_of
from tests.faults.installation import Installation, until
from tests.faults.visitor import SlowClient, Visitor

# How long a job may be at work before its worker is killed, and a worker that has nothing yet.
_AT_WORK_SECONDS, _STARTING_SECONDS = 1.2, 2.5


class Driver:
    """
    Args:
        seed: of every choice; printed with a run so that it can be made again.
    """

    def __init__(self, installation: Installation, seed: int) -> None:
        self.random = random.Random(seed)
        self.ledger: dict[str, Acknowledged] = {}
        self._at = installation
        self._before: dict[str, int] = {}

    def visitor(self) -> Visitor:
        return Visitor(self._at.address, self.ledger, first_seed=self.random.randrange(1_000, 2**31))

    def kill_worker(self, *, at_work: bool = True) -> None:
        """Kill the painting worker and its children: while it is at work, or while it may still be starting."""
        if at_work:
            self._wait_for_claim()
        time.sleep(self.random.uniform(0, _AT_WORK_SECONDS if at_work else _STARTING_SECONDS))
        self._at.wait_for_restart("worker", self._at.kill("worker"))

    def _wait_for_claim(self) -> None:
        """Wait until the worker that lives now has claimed something."""
        before = len(steps_of(self._at.database))
        until(
            lambda: any(step.new == State.RUNNING and step.kind == STYLIZE for step in steps_of(self._at.database)[before:]),
            "a job is claimed",
        )

    def kill_judge(self) -> None:
        self._kill("judge")

    def kill_web(self) -> None:
        self._kill("web")

    def kill_broker(self) -> None:
        self._kill("broker")

    def _kill(self, name: str) -> None:
        time.sleep(self.random.uniform(0, _AT_WORK_SECONDS))
        self._at.wait_for_restart(name, self._at.kill(name))

    def flush_broker(self) -> None:
        time.sleep(self.random.uniform(0, _AT_WORK_SECONDS))
        self._at.flush()

    def freeze_worker(self) -> str:
        """Stop a process in the middle of a job until another has ended that job, then let it go on. Return the job."""
        process, job_id = self._freeze()
        try:
            until(lambda: self._at.row(job_id).terminal, "another process ends the job")
        finally:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        return job_id

    def _freeze(self) -> tuple[psutil.Process, str]:
        while True:
            until(lambda: self._at.running(STYLIZE), "a job is running")
            for job in self._at.running(STYLIZE):
                with suppress(psutil.NoSuchProcess, FileNotFoundError, ValueError):
                    process = psutil.Process(int(place_of(self._at.armed, int(job.params["seed"])).read_text()))
                    process.suspend()
                    # It may have ended the job just now, or hold the lock that others need to take it over.
                    row = self._at.row(job.id)
                    if (row.state, row.attempt) == (State.RUNNING, job.attempt) and self._at.is_writable():
                        return process, job.id
                    process.resume()
            time.sleep(self.random.uniform(0, 0.1))

    def repeat_wake_ups(self, times: int = 10) -> None:
        """Send the same message again and again, as a queue may."""
        app = Celery("faults", set_as_current=False)
        app.conf.update(sender_config(self._at.settings.model_copy(update={"redis_url": self._at.redis_url})))
        try:
            for _ in range(times):
                app.send_task(TASKS[STYLIZE], args=("again",), queue=STYLIZE, task_id="the-same", retry=False, ignore_result=True)
        finally:
            app.close()

    def arm(self, role: str, point: str) -> None:
        self._before[role] = self._at.pids[role]
        crash_points.arm(self._at.armed, role, point)

    def wait_for_crash(self, role: str, point: str) -> None:
        """Wait until a process has died at an armed point; somebody must have given it the occasion."""
        until(lambda: not crash_points.file_of(self._at.armed, role, point).exists(), f"{role} gets to {point}")
        if role == "web":
            # A worker's parent lives on; the web server is one process.
            self._at.wait_for_restart(role, self._before[role])

    def wait_for_uploads(self, count: int) -> None:
        until(lambda: len(self.ledger) >= count, "uploads are acknowledged again")

    def slow_client(self, seconds: float = 1.0) -> None:
        client = SlowClient(self._at.address)
        client.trickle(seconds)
        client.leave()

    def shut_down_worker(self) -> None:
        self._at.wait_for_restart("worker", self._at.signal("worker", signal.SIGTERM))
