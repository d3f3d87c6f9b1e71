"""What a visitor is told of a job whose worker has fallen silent, and wishes that come at the same moment as something else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.infra.database import Database
from app.jobs import repository
from app.jobs.models import Job, State
from app.jobs.service import JobService

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]


@pytest.mark.parametrize(("unheard", "silent"), [(0.0, False), (15.0, False), (25.0, True), (40.0, True)])
def test_two_missed_heartbeats_are_silence(
    settings: Settings, database: Database, add_job: AddJob, service: JobService, unheard: float, silent: bool
) -> None:
    assert (settings.lease_seconds, settings.heartbeat_seconds) == (30, 10)
    with database.read() as session:
        lease_until = repository.now(session) - unheard + settings.lease_seconds
    job = add_job(state=State.RUNNING, attempt=2, lease_until=lease_until, progress={"percent": 8.0, "remaining": 79.0})
    event = service.event(job.owner, job.id)
    assert (event.silent, event.remaining, event.percent, event.attempt) == (silent, None if silent else 79.0, 8.0, 2)


def test_a_job_that_does_not_run_is_never_silent(add_job: AddJob, service: JobService) -> None:
    for state in (State.QUEUED, State.DONE):
        job = add_job(state=state)
        assert not service.event(job.owner, job.id).silent


def beside(database: Database, job: Job, act: Callable[[Session, Job], None], wish: Callable[[], object]) -> None:
    """Carry out ``wish`` while another transaction, begun before it and ended after it began, does ``act``."""
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            act(session, session.get_one(Job, job.id, with_for_update=True))
            session.flush()
            wished = pool.submit(wish)
            with pytest.raises(TimeoutError):
                wished.result(0.5)
        wished.result(10)


def test_two_changes_at_once_both_hold(database: Database, add_job: AddJob, service: JobService) -> None:
    job = add_job(state=State.RUNNING, attempt=1)

    def other(_: Session, row: Job) -> None:
        row.params = {**row.params, "content_weight": 2.0}

    beside(database, job, other, lambda: service.change(job.owner, job.id, {"strength": 3.0}))
    with database.read() as session:
        params = session.get_one(Job, job.id).params
    assert (params["content_weight"], params["strength"]) == (2.0, 3.0)


def test_a_pause_at_the_moment_of_the_claim_is_one_of_a_running_job(database: Database, add_job: AddJob, service: JobService) -> None:
    job = add_job(state=State.QUEUED)

    def claim(_: Session, row: Job) -> None:
        row.state, row.attempt, row.lease_until = State.RUNNING, 1, 9e9

    beside(database, job, claim, lambda: service.pause(job.owner, job.id))
    with database.read() as session:
        row = session.get_one(Job, job.id)
    assert (row.state, row.pause_requested) == (State.RUNNING, True)
