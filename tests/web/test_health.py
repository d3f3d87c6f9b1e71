from __future__ import annotations

import time

import pytest
import redis

from app.infra import presence
from app.infra.database import Database
from app.web.error_handlers import Problem
from tests.web.conftest import Studio


def announce(client: redis.Redis) -> None:
    presence.announce(
        client, presence.Worker(hostname="atelier", pid=7, queues=["stylize"], precision="float32", device="cpu", at=time.time())
    )


def test_alive(studio: Studio) -> None:
    assert studio.client.get("/healthz").json() == {"status": "alive"}


def test_ready_needs_a_worker(studio: Studio, redis_client: redis.Redis) -> None:
    without = studio.client.get("/readyz")
    assert without.status_code == 503
    assert [name for name, part in without.json()["parts"].items() if not part["ok"]] == ["worker"]
    announce(redis_client)
    ready = studio.client.get("/readyz")
    assert ready.status_code == 200 and ready.json()["ready"]
    assert "cpu in float32" in ready.json()["parts"]["worker"]["detail"]


@pytest.mark.parametrize("part", ["database", "broker", "disk"])
def test_each_part_is_named_when_it_fails(studio: Studio, redis_client: redis.Redis, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    announce(redis_client)
    if part == "database":
        # A folder cannot be opened as a database file.
        object.__setattr__(studio.services, "database", Database(f"sqlite:///{studio.settings.data}"))
    elif part == "broker":
        away = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
        monkeypatch.setattr(studio.services.broker, "_client", away)
    else:
        object.__setattr__(studio.services, "settings", studio.settings.model_copy(update={"min_free_mb": 1e12}))
    answer = studio.client.get("/readyz")
    assert answer.status_code == 503
    assert [name for name, found in answer.json()["parts"].items() if not found["ok"]] == [part]


def test_the_openapi_examples_are_what_the_models_take(studio: Studio) -> None:
    from app.jobs.events import JobEvent
    from app.web.routes.api_models import Accepted, JobDetail

    openapi = studio.client.get("/openapi.json").json()
    for model in (Accepted, JobDetail, JobEvent):
        example = model.model_json_schema()["example"]
        assert model.model_validate(example).model_dump(mode="json") == example
    assert openapi["components"]["schemas"]["JobDetail"]["example"]["state"] == "running"
    body = openapi["paths"]["/api/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert body["size"]["minimum"] == 64 and "content" in body and "preset" in body
    assert Problem.__name__ in openapi["components"]["schemas"]


def test_the_reference_names_every_operation_and_loads_nothing_from_elsewhere(studio: Studio) -> None:
    page = studio.client.get("/docs").text
    openapi = studio.client.get("/openapi.json").json()
    for path in openapi["paths"]:
        assert f"<code>{path}</code>" in page
    assert "number, 0.05 to 20, default 1.0" in page
    assert "cdn" not in page
