"""What the sweeper puts right."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import redis

from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs import pictures, repository
from app.jobs.models import STYLIZE, Job, State
from app.jobs.sweeper import Sweeper

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]


def _row(database: Database, job_id: str) -> Job | None:
    with database.read() as session:
        return session.get(Job, job_id)


def test_an_expired_lease_is_queued_again_and_counts_a_crash(database: Database, add_job: AddJob, sweeper: Sweeper) -> None:
    dead = add_job(state=State.RUNNING, attempt=1, lease_until=1.0)
    alive = add_job(state=State.RUNNING, attempt=1, lease_until=1e12)
    sweeper.sweep()
    row = _row(database, dead.id)
    assert row is not None
    assert (row.state, row.crashes, row.lease_until) == (State.QUEUED, 1, None)
    other = _row(database, alive.id)
    assert other is not None
    assert (other.state, other.crashes) == (State.RUNNING, 0)


def test_the_third_crash_fails_the_job_and_says_why(
    database: Database, add_job: AddJob, sweeper: Sweeper, redis_client: redis.Redis
) -> None:
    job = add_job(state=State.RUNNING, attempt=3, crashes=2, lease_until=1.0)
    sweeper.sweep()
    row = _row(database, job.id)
    assert row is not None
    assert (row.state, row.crashes) == (State.FAILED, 3)
    assert row.error == "The worker died 3 times while painting this picture, so it was given up. Try a smaller size."
    assert row.finished_at is not None
    events = redis_client.xrange(f"pentimento:events:{job.id}")
    assert b'"failed"' in events[-1][1][b"event"]


def test_a_crash_of_a_cancelled_job_ends_it(database: Database, add_job: AddJob, sweeper: Sweeper) -> None:
    job = add_job(state=State.RUNNING, attempt=1, lease_until=1.0, cancel_requested=True)
    sweeper.sweep()
    row = _row(database, job.id)
    assert row is not None
    assert row.state == State.CANCELLED


def test_lost_wake_ups_are_sent_again_but_not_piled_up(add_job: AddJob, sweeper: Sweeper, redis_client: redis.Redis) -> None:
    for _ in range(3):
        add_job()
    sweeper.sweep()
    assert redis_client.llen(STYLIZE) == 3
    sweeper.sweep()
    assert redis_client.llen(STYLIZE) == 3
    redis_client.flushall()
    sweeper.sweep()
    assert redis_client.llen(STYLIZE) == 3


def test_no_queued_job_needs_no_wake_up(add_job: AddJob, sweeper: Sweeper, redis_client: redis.Redis) -> None:
    add_job(state=State.RUNNING, lease_until=1e12)
    sweeper.sweep()
    assert redis_client.llen(STYLIZE) == 0


def test_the_message_that_a_killed_worker_holds_does_not_hide_its_job(
    database: Database, add_job: AddJob, sweeper: Sweeper, redis_client: redis.Redis
) -> None:
    job = add_job(state=State.RUNNING, attempt=1, lease_until=1.0)
    redis_client.hset("unacked", "tag", "message of the killed worker, held for hours")
    sweeper.sweep()
    row = _row(database, job.id)
    assert row is not None
    assert row.state == State.QUEUED
    assert redis_client.llen(STYLIZE) == 1


def test_a_job_brought_back_at_the_last_moment_is_kept(database: Database, add_job: AddJob) -> None:
    job = add_job(state=State.DONE, deleted_at=1.0)
    with database.write() as session:
        session.get_one(Job, job.id).deleted_at = None
    with database.write() as session:
        assert not repository.purge(session, job.id, 5.0)
    assert _row(database, job.id) is not None


def test_deleted_jobs_go_for_good_after_the_undo_window(clients: Clients, database: Database, blobs: Blobs, add_job: AddJob) -> None:
    job = add_job(state=State.DONE, deleted_at=1.0)
    kept = add_job(state=State.DONE)
    sweeper = Sweeper(dataclasses.replace(clients, settings=clients.settings.model_copy(update={"undo_seconds": 5.0})))
    sweeper.sweep()
    assert _row(database, job.id) is None
    assert blobs.local_root is not None
    assert not (blobs.local_root / pictures.folder(job.id)).exists()
    assert _row(database, kept.id) is not None
    assert (blobs.local_root / pictures.folder(kept.id)).exists()
