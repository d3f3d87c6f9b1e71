"""Wake-ups reach the queue; a broker that is away loses nothing but the wake-up."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
import redis

from app.core.config import Settings
from app.core.errors import Unavailable
from app.infra.broker import SENDER_SECONDS, Broker, celery_config, sender_config
from app.jobs.models import STYLIZE, TASKS
from workers.runtime.life import time_limit


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


@pytest.fixture
def closed_door() -> Iterator[tuple[str, list[str]]]:
    """A server that hangs up on everyone, and the list of who came."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                came.append(str(address))
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0", came
        server.shutdown(socket.SHUT_RDWR)


def test_a_visitor_waits_for_one_attempt_only(settings: Settings, closed_door: tuple[str, list[str]]) -> None:
    url, came = closed_door
    broker = Broker(settings.model_copy(update={"redis_url": url}), redis.Redis.from_url(url))
    assert not broker.wake(TASKS[STYLIZE], STYLIZE, "hint")
    assert len(came) == 1
    broker.close()


def test_a_sender_gives_up_soon_and_a_worker_does_not(settings: Settings) -> None:
    sender, worker = (config(settings)["broker_transport_options"] for config in (sender_config, celery_config))
    assert sender["socket_connect_timeout"] == sender["socket_timeout"] == SENDER_SECONDS <= 1
    assert worker["socket_connect_timeout"] > SENDER_SECONDS and "max_retries" not in worker and "socket_timeout" not in worker
    assert sender["visibility_timeout"] == worker["visibility_timeout"]


def test_many_threads_send_at_once(settings: Settings, redis_client: redis.Redis) -> None:
    broker = Broker(settings, redis_client)
    sent: list[bool] = []
    threads = [threading.Thread(target=lambda: sent.append(broker.wake(TASKS[STYLIZE], STYLIZE, "hint"))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent == [True] * 30
    assert broker.waiting(STYLIZE) == 30
    broker.close()


def test_no_broker_configured_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="pentimento serve"):
        celery_config(settings.model_copy(update={"redis_url": None}))


@pytest.mark.parametrize("limit", [21600.0, 5.0])
def test_messages_outlive_the_longest_task_which_is_warned_before_it_is_killed(settings: Settings, limit: float) -> None:
    config = celery_config(settings.model_copy(update={"hard_limit_seconds": limit}))
    timeouts = [
        config["visibility_timeout"],
        config["broker_transport_options"]["visibility_timeout"],
        config["result_backend_transport_options"]["visibility_timeout"],
    ]
    assert timeouts == [limit + 1800] * 3
    assert config["task_time_limit"] == limit
    assert time_limit(limit) < config["task_soft_time_limit"] < limit
