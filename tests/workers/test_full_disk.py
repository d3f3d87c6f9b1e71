"""A disk without room while a worker is at work: it still listens, and tries no more than it must."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from app.core.progress import OnProgress
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs.models import Job, State
from app.jobs.service import JobService
from tests.workers.test_life import grey, record, row
from tests.workers.test_put_down import Painter, fill, saving
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing

AddJob = Callable[..., Job]


@pytest.fixture
def runtime(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A worker that stores its state at each step and looks at the row at each step."""
    monkeypatch.setattr("workers.runtime.life._LOOK_EVERY_SECONDS", 0.0)
    quick = clients.settings.model_copy(
        update={"heartbeat_seconds": 0.05, "lease_seconds": 2.0, "preview_seconds": 0.0, "checkpoint_seconds": 0.0}
    )
    return Runtime(dataclasses.replace(clients, settings=quick))


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
