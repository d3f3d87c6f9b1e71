"""The atomic claim, its fairness and its fence."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.infra.database import Database
from app.jobs import repository
from app.jobs.models import STYLIZE, Job, State

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]


def _claim(database: Database) -> Job | None:
    with database.write() as session:
        return repository.claim(session, STYLIZE, lease_seconds=30)


def test_a_claim_takes_the_oldest_job_and_sets_attempt_and_lease(database: Database, add_job: AddJob) -> None:
    first = add_job(created_at=100.0)
    add_job(created_at=200.0)
    job = _claim(database)
    assert job is not None
    assert (job.id, job.state, job.attempt) == (first.id, State.RUNNING, 1)
    assert job.started_at is not None
    assert job.lease_until == pytest.approx(job.started_at + 30)


def test_nothing_to_claim(database: Database, add_job: AddJob) -> None:
    for state in (State.RUNNING, State.DONE, State.FAILED, State.CANCELLED):
        add_job(state=state)
    assert _claim(database) is None


def test_many_claimers_get_each_job_once(database: Database, add_job: AddJob) -> None:
    ids = {add_job().id for _ in range(12)}
    claimed: list[str] = []
    ready = threading.Barrier(6)

    def work() -> None:
        ready.wait()
        while (job := _claim(database)) is not None:
            claimed.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(ids)


def test_owners_take_turns_and_the_queue_position_says_so(database: Database, add_job: AddJob) -> None:
    alice = [add_job(owner="a" * 32, created_at=float(n)) for n in range(3)]
    bob = add_job(owner="b" * 32, created_at=10.0)
    expected = [alice[0].id, bob.id, alice[1].id, alice[2].id]
    with database.read() as session:
        places = {job.id: repository.queue_position(session, job) for job in (*alice, bob)}
    assert sorted(places, key=lambda job_id: places[job_id] or 0) == expected
    assert sorted(place or 0 for place in places.values()) == [1, 2, 3, 4]
    order = []
    while (job := _claim(database)) is not None:
        order.append(job.id)
    assert order == expected


def test_a_write_under_a_lost_attempt_is_refused(database: Database, add_job: AddJob) -> None:
    add_job()
    job = _claim(database)
    assert job is not None
    with database.write() as session:
        written = repository.write_claimed(session, job.id, 1, preview="one.jpg")
    assert written is not None
    assert (written.id, written.preview, written.state) == (job.id, "one.jpg", State.RUNNING)
    with database.write() as session:
        session.get_one(Job, job.id).attempt = 2
    with database.write() as session:
        assert repository.write_claimed(session, job.id, 1, preview="two.jpg") is None
    with database.read() as session:
        assert session.get_one(Job, job.id).preview == "one.jpg"
        assert repository.read_claimed(session, job.id, 1) is None
        assert repository.read_claimed(session, job.id, 2) is not None
