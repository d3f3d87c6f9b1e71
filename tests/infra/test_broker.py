"""Wake-ups reach the queue; a broker that is away loses nothing but the wake-up."""

from __future__ import annotations

import json

import pytest
import redis

from app.core.config import Settings
from app.core.errors import Unavailable
from app.infra.broker import HARD_LIMIT_SECONDS, Broker, celery_config
from app.jobs.models import STYLIZE, TASKS


def test_a_wake_up_waits_in_the_queue_of_its_kind(settings: Settings, redis_client: redis.Redis) -> None:
    broker = Broker(settings, redis_client)
    assert broker.waiting(STYLIZE) == 0
    assert broker.wake(TASKS[STYLIZE], STYLIZE, "hint")
    assert broker.waiting(STYLIZE) == 1
    message = json.loads(redis_client.lindex(STYLIZE, 0))
    assert message["headers"]["task"] == TASKS[STYLIZE]
    broker.close()


def test_a_broker_that_is_away_is_reported_not_raised(settings: Settings) -> None:
    away = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    broker = Broker(away, redis.Redis.from_url("redis://127.0.0.1:1/0"))
    assert not broker.wake(TASKS[STYLIZE], STYLIZE, "hint")
    broker.close()


def test_no_broker_configured_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="pentimento serve"):
        celery_config(settings.model_copy(update={"redis_url": None}))


def test_messages_outlive_the_longest_task(settings: Settings) -> None:
    config = celery_config(settings)
    timeouts = [
        config["visibility_timeout"],
        config["broker_transport_options"]["visibility_timeout"],
        config["result_backend_transport_options"]["visibility_timeout"],
    ]
    assert all(timeout > HARD_LIMIT_SECONDS for timeout in timeouts)
    assert config["task_time_limit"] == HARD_LIMIT_SECONDS
