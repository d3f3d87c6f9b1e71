"""What a worker that is killed costs a picture: the states that are stored on the way."""

from __future__ import annotations

import dataclasses
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core.checkpoint import Checkpoint
from app.core.errors import Unavailable
from app.core.progress import OnProgress
from app.infra.database import Database
from app.jobs import repository
from app.jobs.models import Job, State
from tests.workers.test_life import grey, row
from tests.workers.test_put_down import AddJob, Painter, saving
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moment it is for what stores states."""
    now = [100.0]
    monkeypatch.setattr("workers.runtime.stylizing.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def ten_seconds(runtime: Runtime) -> Runtime:
    """A worker that may lose ten seconds of work."""
    settings = runtime.clients.settings.model_copy(update={"checkpoint_seconds": 10.0, "heartbeat_seconds": 60.0, "lease_seconds": 600.0})
    return Runtime(dataclasses.replace(runtime.clients, settings=settings))


@pytest.mark.parametrize(("step", "windows"), [(0.6, 1), (3.0, 1), (7.0, 1), (7.0, 5), (11.0, 11), (11.0, 1)])
def test_at_most_ten_seconds_or_one_iteration_are_lost_at_any_moment(
    ten_seconds: Runtime, clock: list[float], database: Database, add_job: AddJob, step: float, windows: int
) -> None:
    job = add_job()
    ended = {0: clock[0]}
    lost: list[float] = []

    def paint(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        for n in range(1, 25):
            for window in range(1, windows + 1):
                clock[0] += step / windows
                left = row(database, job).checkpoint
                lost.append(clock[0] - ended[left["live"]["iteration"] if left else 0])
                if window < windows:
                    on_progress(dataclasses.replace(saving(sitting, n - 1), losses=None, preview=None))
            ended[n] = clock[0]
            on_progress(saving(sitting, n))
        return Outcome(grey(100))

    ten_seconds.run_one(Stylizing, paint)
    assert len(lost) == 24 * windows
    assert max(lost) <= max(10.0, step) + 1e-6
    # Nor is more stored than that takes.
    assert sum(later < sooner for sooner, later in itertools.pairwise(lost)) <= 24 * step / max(10.0 - step, step)


def test_a_scale_ends_with_a_state_since_the_next_step_takes_longer(
    ten_seconds: Runtime, clock: list[float], database: Database, add_job: AddJob
) -> None:
    job = add_job()
    stored: list[int] = []

    def paint(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        for n in range(1, 13):
            clock[0] += 1.0 if n < 9 else 20.0
            on_progress(dataclasses.replace(saving(sitting, n), ends_scale=n == 8))
            left = row(database, job).checkpoint
            stored.append(left["live"]["iteration"] if left else 0)
        return Outcome(grey(100))

    ten_seconds.run_one(Stylizing, paint)
    assert stored == [0] * 7 + [8, 9, 10, 11, 12]


def test_the_time_that_storing_takes_makes_no_state_due(
    ten_seconds: Runtime, clock: list[float], database: Database, add_job: AddJob
) -> None:
    job = add_job()
    stored: list[int] = []

    def paint(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        def slow(n: int) -> Checkpoint:
            clock[0] += 2.0
            stored.append(n)
            return saving(sitting, n).save()  # type: ignore[misc]

        for n in range(1, 13):
            clock[0] += 3.0
            on_progress(dataclasses.replace(saving(sitting, n), save=lambda n=n: slow(n)))
        return Outcome(grey(100))

    ten_seconds.run_one(Stylizing, paint)
    assert row(database, job).state == State.DONE
    # Three seconds a step and two to store, which count as waited for, but not as the step.
    assert stored == [3, 5, 7, 9, 11]


def test_a_state_that_did_not_reach_the_row_is_stored_again_at_a_shutdown(
    runtime: Runtime, database: Database, add_job: AddJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    closing: list[bool] = []
    patient = runtime.clients.settings.model_copy(update={"lease_seconds": 60.0})
    leaving = Runtime(dataclasses.replace(runtime.clients, settings=patient), shutting_down=lambda: bool(closing))
    write = repository.write_claimed

    def away(session: Session, job_id: str, attempt: int, **columns: Any) -> Job | None:
        if columns.get("checkpoint") and columns["checkpoint"]["live"]["iteration"] == 5 and not closing:
            closing.append(True)
            raise Unavailable("The database is away.")
        return write(session, job_id, attempt, **columns)

    monkeypatch.setattr(repository, "write_claimed", away)
    leaving.run_one(Stylizing, Painter())
    assert row(database, job).state == State.QUEUED
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [5]
