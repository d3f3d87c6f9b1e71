"""Celery as its senders see it: configuration, wake-ups by task name, and how many are waiting."""

from __future__ import annotations

import logging
import math
from typing import Any

import redis
from celery import Celery  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.core.config import Settings
from app.core.errors import Unavailable

log = logging.getLogger(__name__)

# How much longer than the longest task a message may stay unacknowledged.
_VISIBLE_BEYOND_SECONDS = 1800
# What a task hears of its time limit, before its process is killed: at most this share of the limit, and so long.
_WARNING_SHARE, _WARNING_SECONDS = 0.2, 60.0
SOFT_SHUTDOWN_SECONDS = 20.0
# How long a visitor waits for a broker that is away, before the sweeper is left to send the wake-up.
SENDER_SECONDS = 1


def redis_url(settings: Settings) -> str:
    if settings.redis_url is None:
        raise Unavailable("No broker is configured: start everything with `pentimento serve`, or set PENTIMENTO_REDIS_URL.")
    return settings.redis_url


def celery_config(settings: Settings) -> dict[str, Any]:
    """Return the configuration that senders and workers share."""
    limit = settings.hard_limit_seconds
    visibility = math.ceil(limit) + _VISIBLE_BEYOND_SECONDS
    transport = {"visibility_timeout": visibility, "socket_connect_timeout": 5, "socket_keepalive": True}
    return {
        "broker_url": redis_url(settings),
        "broker_transport_options": transport,
        "result_backend_transport_options": transport,
        "visibility_timeout": visibility,
        "broker_connection_retry_on_startup": True,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_track_started": True,
        "task_create_missing_queues": True,
        "task_time_limit": limit,
        "task_soft_time_limit": limit - min(_WARNING_SECONDS, _WARNING_SHARE * limit),
        "worker_prefetch_multiplier": 1,
        "worker_soft_shutdown_timeout": SOFT_SHUTDOWN_SECONDS,
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "enable_utc": True,
    }


def sender_config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of a process that only sends: one attempt, soon given up.

    ``retry=False`` of a message does not reach the transport's own loop of reconnecting.
    """
    config = celery_config(settings)
    once = {"max_retries": 0, "interval_start": 0, "socket_connect_timeout": SENDER_SECONDS, "socket_timeout": SENDER_SECONDS}
    transport = {**config["broker_transport_options"], **once}
    return {**config, "broker_transport_options": transport, "broker_connection_timeout": SENDER_SECONDS}


class Broker:
    """Sends wake-ups. A message says only "look at this queue": losing or repeating one is harmless."""

    def __init__(self, settings: Settings, client: redis.Redis) -> None:
        self._app = Celery("pentimento", set_as_current=False)
        self._app.conf.update(sender_config(settings))
        self._client = client

    def wake(self, task: str, queue: str, hint: str) -> bool:
        """Send one wake-up. Return False when the broker is away: the sweeper sends it later."""
        try:
            self._app.send_task(task, args=(hint,), queue=queue, retry=False, ignore_result=True)
        except (OperationalError, RedisError, OSError) as error:
            log.warning("wake-up not sent, the sweeper will: %s", error)
            return False
        return True

    def waiting(self, queue: str) -> int:
        """Return how many messages no worker has taken. What workers hold says nothing: a killed one holds on for hours."""
        return int(self._client.llen(queue))

    def ping(self) -> None:
        self._client.ping()

    def close(self) -> None:
        self._app.close()
