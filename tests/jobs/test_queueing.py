"""The order of claims, foreseen and as it comes."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from app.infra.database import Database
from app.jobs import repository
from app.jobs.models import STYLIZE, VERDICT, Job, State
from app.jobs.queueing import Rank, Waiting, order

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]
ALICE, BOB, CAROL = "a" * 32, "b" * 32, "c" * 32
BATCH = "e" * 32


def claims(database: Database, kind: str = STYLIZE) -> list[str]:
    claimed = []
    while True:
        with database.write() as session:
            job = repository.claim(session, kind, lease_seconds=30)
        if job is None:
            return claimed
        claimed.append(job.id)


def test_single_pictures_come_before_a_dataset_s() -> None:
    waiting = [
        Waiting(1.0, "alice-batch-1", "alice", Rank.BATCH),
        Waiting(2.0, "alice-batch-2", "alice", Rank.BATCH),
        Waiting(3.0, "bob-batch", "bob", Rank.BATCH),
        Waiting(4.0, "bob-1", "bob"),
        Waiting(5.0, "bob-2", "bob"),
        Waiting(6.0, "carol", "carol"),
    ]
    # Carol was served before, Bob never: he comes first, then she. After his two singles it is Alice's turn.
    assert list(order(waiting, {"carol": 50.0})) == ["bob-1", "carol", "bob-2", "alice-batch-1", "bob-batch", "alice-batch-2"]


def test_a_dataset_delays_nobody_s_single_picture(database: Database, add_job: AddJob) -> None:
    batch = [add_job(owner=ALICE, parent=BATCH, created_at=float(n)) for n in range(4)]
    late = add_job(owner=BOB, created_at=100.0)
    own = add_job(owner=ALICE, created_at=101.0)
    assert claims(database) == [late.id, own.id, *(job.id for job in batch)]


def test_among_verdicts_belonging_to_a_job_is_no_reason_to_wait(database: Database, add_job: AddJob) -> None:
    of_job = add_job(kind=VERDICT, owner=ALICE, parent=BATCH, created_at=1.0)
    alone = add_job(kind=VERDICT, owner=BOB, created_at=2.0)
    with database.read() as session:
        assert [repository.queue_position(session, job) for job in (of_job, alone)] == [1, 2]
    assert claims(database, VERDICT) == [of_job.id, alone.id]


@pytest.mark.parametrize("seed", range(6))
def test_the_places_are_foretold_as_the_claims_come(database: Database, add_job: AddJob, seed: int) -> None:
    rng = random.Random(seed)
    for n in range(3):
        add_job(owner=rng.choice([ALICE, BOB, CAROL]), state=State.DONE, started_at=rng.uniform(1, 1000), created_at=float(n))
    waiting = [
        add_job(owner=rng.choice([ALICE, BOB, CAROL]), parent=rng.choice([None, BATCH]), created_at=rng.uniform(2000, 3000))
        for _ in range(10)
    ]
    with database.read() as session:
        places = {job.id: repository.queue_position(session, job) for job in waiting}
    assert sorted(place or 0 for place in places.values()) == list(range(1, 11))
    assert claims(database) == sorted(places, key=lambda job_id: places[job_id] or 0)
