"""One question, answered by an exit code: is it well? For containers and service managers."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import redis
from redis.exceptions import RedisError

from app.core.config import Settings
from app.infra import presence
from app.infra.broker import redis_url
from app.local.instance import reachable
from app.local.stack import responds


def web_is_alive(settings: Settings) -> bool:
    """Tell whether the web server on this machine answers at all."""
    return responds(reachable(settings.host), settings.port, "/healthz")


def web_is_ready(settings: Settings) -> bool:
    """Tell whether it, its database, its broker and a worker can do their work."""
    return responds(reachable(settings.host), settings.port, "/readyz")


def worker_is_ready(settings: Settings, queues: Sequence[str] = ()) -> bool:
    """Tell whether workers on this machine have announced themselves lately, for each of ``queues``."""
    try:
        with redis.Redis.from_url(redis_url(settings), socket_connect_timeout=3, socket_timeout=3) as client:
            here = [worker for worker in presence.present(client) if worker.hostname == socket.gethostname()]
    except RedisError:
        return False
    return bool(here) and all(any(queue in worker.queues for worker in here) for queue in queues)
