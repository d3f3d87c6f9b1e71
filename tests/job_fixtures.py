"""Jobs without a browser or a network: a row and two stored pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import redis

from app.core.config import Settings
from app.core.ids import new_id
from app.core.specs import resolve
from app.imaging import encode
from app.infra.blobs import Blobs
from app.infra.broker import Broker
from app.infra.clients import Clients
from app.infra.database import Database
from app.infra.streams import EventWriter
from app.infra.tally import Tally
from app.jobs import pictures, repository
from app.jobs.models import STYLIZE, Job, State
from app.jobs.service import JobService
from app.jobs.sweeper import Sweeper
from app.jobs.verdict_service import VerdictService

AddJob = Callable[..., Job]


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    return Blobs(settings.picture_url)


@pytest.fixture
def events(redis_client: redis.Redis) -> EventWriter:
    return EventWriter(redis_client)


@pytest.fixture
def broker(settings: Settings, redis_client: redis.Redis) -> Iterator[Broker]:
    broker = Broker(settings, redis_client)
    yield broker
    broker.close()


@pytest.fixture
def clients(
    settings: Settings, database: Database, blobs: Blobs, events: EventWriter, broker: Broker, redis_client: redis.Redis
) -> Clients:
    return Clients(settings, database, blobs, events, broker, Tally(redis_client))


@pytest.fixture
def service(clients: Clients) -> JobService:
    return JobService(clients)


@pytest.fixture
def verdicts(clients: Clients) -> VerdictService:
    return VerdictService(clients)


@pytest.fixture
def sweeper(clients: Clients) -> Sweeper:
    return Sweeper(clients)


@pytest.fixture
def add_job(database: Database, blobs: Blobs) -> AddJob:
    """Add a queued job with two small pictures; keyword arguments overrule its columns."""

    def add(**columns: object) -> Job:
        rng = np.random.default_rng(1)
        job = Job(
            id=new_id(),
            kind=STYLIZE,
            owner="a" * 32,
            state=State.QUEUED,
            preset="default",
            params=resolve().model_dump(mode="json"),
            inputs={role: {"name": f"{role}.png", "width": 60, "height": 40, "sha256": "0" * 64} for role in pictures.INPUTS},
        )
        with database.write() as session:
            job.created_at = repository.now(session)
            for name, value in columns.items():
                setattr(job, name, value)
            session.add(job)
        for role in pictures.INPUTS:
            pixels = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
            blobs.put(pictures.key(job.id, pictures.input_name(role)), encode.png(pixels))
        return job

    return add
