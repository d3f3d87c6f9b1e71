"""What a visitor is told of a job whose worker has fallen silent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

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
