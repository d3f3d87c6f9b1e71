"""The application as it runs: real broker, database, pictures and decoders. Only the worker is played by the test."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import redis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from app.core.commission import Commission
from app.core.config import Settings
from app.core.progress import Losses, OnProgress, Progress, StopRequested
from app.infra.blobs import Blobs
from app.infra.broker import Broker
from app.infra.clients import Clients
from app.infra.database import Database
from app.infra.streams import EventWriter
from app.infra.tally import Tally
from app.main import create_app
from app.web.deps import Services
from tests.verdict_double import Brightness
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Stylizing
from workers.tasks import verdict

FACTS = {
    "weights": {"vgg19": "a" * 64, "adain_decoder": "b" * 64},
    "libraries": {"tensorflow": "2.21.0"},
    "precision": "float32",
    "device": "cpu",
    "iterations": 2,
    "planned": 2,
    "elapsed": 0.5,
}

NewClient = Callable[[], TestClient]


def picture(width: int = 60, height: int = 40, colour: tuple[int, int, int] = (200, 120, 40), kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, kind)
    return buffer.getvalue()


def two_pictures() -> dict[str, tuple[str, bytes, str]]:
    return {"content": ("harbour.png", picture(), "image/png"), "style": ("waves.jpg", picture(kind="JPEG"), "image/jpeg")}


def paint(commission: Commission, on_progress: OnProgress) -> Outcome:
    """Two steps, each with its picture: what an engine does, without networks."""
    result = np.full((40, 60, 3), 90, np.uint8)
    with suppress(StopRequested):
        for step in (1, 2):
            on_progress(
                Progress("refine", 60, step, 2, step / 2, Losses(1.0, 2.0 / step, 0.0, 3.0), step / 4, None, result + np.uint8(step))
            )
    return Outcome(result, FACTS)


@dataclass(frozen=True)
class Studio:
    """The application, its parts, and a worker that works when it is told to."""

    app: FastAPI
    settings: Settings
    client: TestClient
    new_client: NewClient
    runtime: Runtime

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    @property
    def events(self) -> EventWriter:
        return self.runtime.clients.events

    def submit(self, client: TestClient | None = None, **fields: Any) -> str:
        answer = (client or self.client).post("/api/jobs", files=two_pictures(), data=fields)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def work(self, engine: Callable[[Commission, OnProgress], Outcome] = paint) -> None:
        assert self.runtime.run_one(Stylizing, lambda sitting, on_progress: engine(sitting.commission, on_progress))

    def judge(self) -> None:
        assert verdict.run(self.runtime, Brightness)

    def finished(self) -> str:
        job_id = self.submit(size=64)
        self.work()
        return job_id


@pytest.fixture
def composed(settings: Settings, redis_client: redis.Redis) -> Iterator[Studio]:
    """The application, not yet started."""
    settings = settings.model_copy(update={"preview_seconds": 0.0, "max_upload_mb": 0.2})
    app = create_app(settings)
    database, broker = Database(settings.sql_url), Broker(settings, redis_client)
    runtime = Runtime(Clients(settings, database, Blobs(settings.picture_url), EventWriter(redis_client), broker, Tally(redis_client)))

    def new_client() -> TestClient:
        return TestClient(app, follow_redirects=False)

    yield Studio(app, settings, new_client(), new_client, runtime)
    broker.close()
    database.close()


@pytest.fixture
def studio(composed: Studio) -> Iterator[Studio]:
    """The application, started as long as the test takes."""
    with composed.client:
        yield composed
