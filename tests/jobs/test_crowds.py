"""Owners of one address have a limit together, however many cookies they take."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from app.core.errors import TooMany
from app.core.ids import new_id
from app.infra.database import Database
from app.jobs import crowds
from app.jobs.crowds import Crowds
from app.jobs.models import STYLIZE, VERDICT, Job, State

DATABASES = ("sqlite", "postgresql")
SECRET = "5f1c9a0be47d23806b1fd5ea92c47013"  # noqa: S105 - a test's
ADDRESS = "203.0.113.7"

AddJob = Callable[..., Job]


class Clock:
    def __init__(self) -> None:
        self.now = 1.7e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gathered(redis_client: redis.Redis, database: Database, clock: Clock) -> Crowds:
    return Crowds(redis_client, database, SECRET, clock)


def joins(gathered: Crowds, owner: str, address: str = ADDRESS, most: int = 3) -> bool:
    try:
        gathered.join(STYLIZE, address, owner, most)
    except TooMany:
        return False
    return True


def test_what_waits_of_all_owners_of_an_address_is_counted_together(gathered: Crowds, database: Database, add_job: AddJob) -> None:
    owners = [new_id() for _ in range(5)]
    made = []
    for owner in owners[:3]:
        assert joins(gathered, owner)
        made.append(add_job(owner=owner, state=State.PAUSED if owner == owners[0] else State.QUEUED))
    assert not joins(gathered, owners[3]) and not joins(gathered, owners[0])
    assert joins(gathered, owners[4], "203.0.113.8")
    with database.write() as session:
        session.get_one(Job, made[0].id).state = State.DONE
    assert joins(gathered, owners[3])


def test_each_kind_is_counted_alone_and_what_belongs_to_something_else_not_at_all(gathered: Crowds, add_job: AddJob) -> None:
    owner = new_id()
    assert joins(gathered, owner)
    for _ in range(3):
        add_job(owner=owner, kind=VERDICT)
        add_job(owner=owner, parent=new_id())
    assert joins(gathered, owner)


def test_whoever_has_nothing_that_waits_is_forgotten_but_not_while_it_is_on_its_way(
    gathered: Crowds, clock: Clock, redis_client: redis.Redis, add_job: AddJob
) -> None:
    waits, slow, nothing = new_id(), new_id(), new_id()
    for owner in (waits, slow, nothing):
        joins(gathered, owner)
    add_job(owner=waits)
    clock.now += crowds._ARRIVING_SECONDS - 1
    newest = new_id()
    assert joins(gathered, newest)
    (key,) = redis_client.keys("pentimento:crowd:*")
    assert redis_client.zcard(key) == 4
    add_job(owner=slow)
    clock.now += 2
    assert joins(gathered, newest)
    assert {name.decode() for name in redis_client.zrange(key, 0, -1)} == {waits, slow, newest}


def test_no_address_is_kept_and_owners_have_an_end(gathered: Crowds, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "_MOST_OWNERS", 2)
    for _ in range(4):
        assert joins(gathered, new_id())
    (key,) = redis_client.keys("*")
    assert b"203" not in key.rpartition(b":")[2] and len(key.rpartition(b":")[2]) == 32
    assert redis_client.zcard(key) == 2
    assert 0 < redis_client.ttl(key) <= 7 * 24 * 3600


def test_without_a_broker_nobody_is_refused(database: Database) -> None:
    away = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    assert joins(Crowds(away, database, SECRET), new_id(), most=0)
    away.close()
