from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio
import httpx2
import pytest
import redis

from app.core.specs import PRESETS, StyleParams, resolve
from app.infra import presence
from app.infra.database import Database
from app.web.error_handlers import Problem
from app.web.form import PICTURES
from tests.web.conftest import Studio


def announce(client: redis.Redis, **changes: object) -> None:
    worker = presence.Worker(hostname="atelier", pid=7, queues=["stylize"], precision="float32", device="cpu", at=time.time())
    presence.announce(client, worker.model_copy(update=changes))


def failing(readiness: dict[str, Any]) -> list[str]:
    """The parts without which nothing can be painted, and that fail."""
    return [name for name, part in readiness["parts"].items() if part["needed"] and not part["ok"]]


def test_alive(studio: Studio) -> None:
    assert studio.client.get("/healthz").json() == {"status": "alive"}


def test_alive_while_every_thread_is_at_work(composed: Studio) -> None:
    async def asked() -> list[int]:
        threads = anyio.to_thread.current_default_thread_limiter()
        for number in range(int(threads.total_tokens)):
            threads.acquire_on_behalf_of_nowait(number)
        transport = httpx2.ASGITransport(app=composed.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return [(await asyncio.wait_for(client.request(method, "/healthz"), 5)).status_code for method in ("GET", "HEAD")]

    assert asyncio.run(asked()) == [200, 200]


@pytest.mark.parametrize("path", ["/", "/history", "/docs", "/healthz", "/readyz"])
def test_head_is_answered_as_get_is(studio: Studio, path: str) -> None:
    head, got = studio.client.head(path), studio.client.get(path)
    assert head.status_code == got.status_code
    assert head.headers["content-type"] == got.headers["content-type"]


def test_ready_needs_a_worker(studio: Studio, redis_client: redis.Redis) -> None:
    without = studio.client.get("/readyz")
    assert without.status_code == 503
    assert failing(without.json()) == ["worker"]
    announce(redis_client)
    ready = studio.client.get("/readyz")
    assert ready.status_code == 200 and ready.json()["ready"]
    assert "cpu in float32" in ready.json()["parts"]["worker"]["detail"]


def test_a_worker_is_ready_for_its_own_queue_and_painting_needs_no_judge(studio: Studio, redis_client: redis.Redis) -> None:
    announce(redis_client, queues=["verdict", "experiment"], precision="", device="")
    parts = studio.client.get("/readyz").json()["parts"]
    assert [name for name in ("worker", "judge", "lab") if parts[name]["ok"]] == ["judge", "lab"]
    assert parts["lab"]["detail"].startswith("1 ready, last heard of")
    redis_client.flushall()
    announce(redis_client)
    alone = studio.client.get("/readyz")
    assert alone.status_code == 200
    assert [name for name in ("worker", "judge", "lab") if alone.json()["parts"][name]["ok"]] == ["worker"]
    assert alone.json()["parts"]["judge"]["detail"] == "no worker of the queue verdict has said that it is ready"


def test_a_worker_that_falls_silent_is_not_ready(studio: Studio, redis_client: redis.Redis) -> None:
    """The broker itself forgets it, so that clocks of several machines need not agree."""
    announce(redis_client)
    (key,) = redis_client.keys("pentimento:worker:*")
    assert 3 * presence.BEAT_SECONDS < redis_client.pttl(key) / 1000 <= 4 * presence.BEAT_SECONDS
    assert studio.client.get("/readyz").status_code == 200
    redis_client.pexpire(key, 0)
    assert studio.client.get("/readyz").status_code == 503


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
    assert failing(answer.json()) == [part]


def test_nobody_is_told_where_what_is_away_would_be(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = "127.0.0.1"
    away = redis.Redis.from_url(f"redis://{server}:1/0", socket_connect_timeout=1)
    monkeypatch.setattr(studio.services.broker, "_client", away)
    database = Database(f"postgresql://curator@{server}:1/none?connect_timeout=1")
    object.__setattr__(studio.services, "database", database)
    monkeypatch.setattr(studio.services.jobs, "_database", database)
    parts = studio.client.get("/readyz").json()["parts"]
    assert parts["database"]["detail"] == "The database does not answer. Try again in a moment."
    assert parts["broker"]["detail"] == "does not answer"
    assert f"broker does not answer: Error 111 connecting to {server}:1" in caplog.text
    for path in ("/readyz", "/api/jobs", "/history", "/metrics"):
        answer = studio.client.get(path)
        assert not [word for word in (server, "curator", "port 1") if word in answer.text], path


def test_the_openapi_examples_are_what_the_models_take(studio: Studio) -> None:
    from app.jobs.job_events import JobEvent
    from app.jobs.verdict_events import VerdictEvent
    from app.web.routes.api_models import Accepted, JobDetail
    from app.web.routes.verdict_models import VerdictAccepted, VerdictDetail

    openapi = studio.client.get("/openapi.json").json()
    for model in (Accepted, JobDetail, JobEvent, VerdictAccepted, VerdictDetail, VerdictEvent):
        example = model.model_json_schema()["example"]
        assert model.model_validate(example).model_dump(mode="json") == example
    assert openapi["components"]["schemas"]["JobDetail"]["example"]["state"] == "running"
    assert Problem.__name__ in openapi["components"]["schemas"]


def test_openapi_states_the_form_with_its_defaults(studio: Studio) -> None:
    content = studio.client.get("/openapi.json").json()["paths"]["/api/jobs"]["post"]["requestBody"]["content"]
    body = content["multipart/form-data"]["schema"]["properties"]
    assert body["size"]["minimum"] == 64 and body["preset"]["enum"] == list(PRESETS)
    # Sent as they stand, the stated defaults are the parameters of a form that names none.
    stated = {name: str(body[name]["default"]) for name in StyleParams.model_fields}
    assert resolve(body["preset"]["default"], stated) == resolve()
    assert body.keys() - content["application/x-www-form-urlencoded"]["schema"]["properties"].keys() == set(PICTURES)


def test_the_reference_names_every_operation_and_loads_nothing_from_elsewhere(studio: Studio) -> None:
    page = studio.client.get("/docs").text
    openapi = studio.client.get("/openapi.json").json()
    for path in openapi["paths"]:
        assert f"<code>{path}</code>" in page
    # Of a new job, and of one that is changed while it is painted.
    assert page.count("number, 0.05 to 20, default 1.0") == 2
    assert "cdn" not in page
