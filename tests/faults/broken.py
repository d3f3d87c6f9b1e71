"""Guards that can be switched off in the stand-ins (``FAULTS_BREAK``): a run must then report violations."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.infra import files
from app.jobs import repository
from app.jobs import service as jobs_service
from app.jobs.models import Job, State
from app.jobs.sweeper import Sweeper

# How long after its answer an upload is stored where it is acknowledged too soon.
_LATE_SECONDS = 3.0


def fencing() -> None:
    """Writes of a worker that lost its lease go through."""

    def claimed(job_id: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
        return (Job.id == job_id,)

    repository._claimed = claimed


def claim() -> None:
    """A claim takes jobs that run, too."""
    claim = repository.claim

    def greedy(session: Session, kind: str, lease_seconds: float) -> Job | None:
        running = select(Job).where(Job.kind == kind, Job.state == State.RUNNING).limit(1)
        taken = session.execute(running).scalar_one_or_none()
        if taken is None:
            return claim(session, kind, lease_seconds)
        taken.attempt += 1
        taken.lease_until = repository.now(session) + lease_seconds
        session.flush()
        return taken

    repository.claim = greedy


def rename() -> None:
    """Files grow under their final names."""

    def write_from(path: Path, source: IO[bytes], *, private: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as file:
            while chunk := source.read(4096):
                file.write(chunk)

    files.write_from = write_from


def sweeper() -> None:
    """Nobody looks after jobs whose workers died."""
    Sweeper._settle_expired = lambda self: None  # type: ignore[method-assign]


def ack() -> None:
    """An upload is acknowledged before its row is committed."""
    submit = jobs_service.JobService.submit
    given_ids: dict[int, str] = {}
    jobs_service.new_id = lambda: given_ids.pop(threading.get_ident(), None) or new_id()

    def early(self: Any, owner: str, *rest: Any) -> Job:
        job = Job(id=new_id(), kind="stylize", owner=owner, state=State.QUEUED, preset="", params={}, inputs={}, created_at=time.time())

        def late() -> None:
            time.sleep(_LATE_SECONDS)
            given_ids[threading.get_ident()] = job.id
            submit(self, owner, *rest)

        threading.Thread(target=late, daemon=True).start()
        return job

    jobs_service.JobService.submit = early  # type: ignore[method-assign, assignment]


GUARDS: dict[str, Callable[[], None]] = {"fencing": fencing, "claim": claim, "rename": rename, "sweeper": sweeper, "ack": ack}


def install() -> None:
    """Switch off the guard that the environment names, if it names one. Before crash points are put in."""
    if name := os.environ.get("FAULTS_BREAK"):
        GUARDS[name]()
