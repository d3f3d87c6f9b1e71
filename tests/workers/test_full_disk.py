"""A disk without room while a worker is at work: it still listens, and tries no more than it must."""

from __future__ import annotations

import dataclasses
import itertools
import sqlite3
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.progress import OnProgress
from app.infra.blobs import Blobs
from app.infra.database import Database
from app.jobs import repository
from app.jobs.models import TERMINAL, Job, State
from app.jobs.service import JobService
from tests.workers.test_life import grey, record, row
from tests.workers.test_put_down import Painter, files, fill, saving
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing

AddJob = Callable[..., Job]


@pytest.mark.parametrize(("what", "state", "seconds"), [("cancel", State.CANCELLED, 0.0), ("pause", State.PAUSED, 3600.0)])
def test_a_full_disk_makes_no_job_deaf(
    runtime: Runtime,
    database: Database,
    add_job: AddJob,
    service: JobService,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    state: State,
    seconds: float,
) -> None:
    monkeypatch.setattr("workers.runtime.life._RETRY_SECONDS", ())
    job = add_job()
    fill(monkeypatch)
    painter = Painter(lambda n: getattr(service, what)(job.owner, job.id) if n == 4 else None)
    settings = runtime.clients.settings.model_copy(update={"checkpoint_seconds": seconds, "preview_seconds": seconds})
    Runtime(dataclasses.replace(runtime.clients, settings=settings)).run_one(Stylizing, painter)
    assert len(painter.strengths) == 5, "the next step is the last"
    assert row(database, job).state == state


def test_a_cancelled_job_whose_picture_finds_no_room_is_cancelled_all_the_same(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runtime.life._RETRY_SECONDS", ())
    job = add_job()

    def cancel_on_a_full_disk(n: int) -> None:
        if n == 4:
            fill(monkeypatch)
            service.cancel(job.owner, job.id)

    runtime.run_one(Stylizing, Painter(cancel_on_a_full_disk))
    ended = row(database, job)
    assert (ended.state, ended.result, ended.error) == (State.CANCELLED, None, None)


def test_an_end_that_the_database_has_no_room_for_costs_neither_state_nor_picture(
    runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob, service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runtime.life._RETRY_SECONDS", ())
    job = add_job()
    runtime.run_one(Stylizing, Painter(lambda n: service.pause(job.owner, job.id) if n == 4 else None))
    service.resume(job.owner, job.id)
    written = repository.write_claimed
    ends: list[str] = []

    def write(session: Session, job_id: str, attempt: int, **values: Any) -> Job | None:
        if values.get("state") in TERMINAL:
            ends.append(values["state"])
        return written(session, job_id, attempt, **values)

    def commit(_: object) -> None:
        if ends:
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(repository, "write_claimed", write)
    event.listen(database.engine, "commit", commit)
    runtime.run_one(Stylizing, Painter())
    event.remove(database.engine, "commit", commit)
    assert ends == [State.DONE], "nor can it be given to another attempt to be ended"
    left = row(database, job)
    assert (left.state, left.result) == (State.RUNNING, None), "its lease runs out, and another worker tries again"
    assert left.checkpoint is not None
    assert {left.checkpoint["name"], left.checkpoint["result"]} <= set(files(blobs, job))


def test_a_state_that_cannot_be_stored_is_not_made_at_each_step(runtime: Runtime, add_job: AddJob, monkeypatch: pytest.MonkeyPatch) -> None:
    add_job()
    made: list[int] = []

    def paint(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        with monkeypatch.context() as disk:
            fill(disk)
            for n in range(1, 21):
                progress, save = record(n), saving(sitting, n).save
                assert save is not None
                on_progress(dataclasses.replace(progress, save=lambda n=n, save=save: made.append(n) or save()))
        return Outcome(grey(100), {})

    moments = itertools.count()
    monkeypatch.setattr("workers.runtime.stylizing.time", SimpleNamespace(monotonic=lambda: next(moments)))
    settings = runtime.clients.settings.model_copy(update={"checkpoint_seconds": 12.0, "preview_seconds": 3600.0})
    Runtime(dataclasses.replace(runtime.clients, settings=settings)).run_one(Stylizing, paint)
    assert 1 <= len(made) < 7
