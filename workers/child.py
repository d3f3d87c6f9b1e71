"""What one worker process holds after its fork: clients, engine, and a sign of life."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import redis
from redis.exceptions import RedisError

from app.core.config import Settings
from app.infra import presence
from app.infra.blobs import Blobs
from app.infra.broker import redis_url
from app.infra.database import Database
from app.infra.streams import EventWriter
from app.jobs.models import STYLIZE
from workers.runtime import Runtime

if TYPE_CHECKING:
    from workers.style.engine import Engine

log = logging.getLogger(__name__)


class Child:
    """Built in the worker's child only: loading an engine imports TensorFlow."""

    def __init__(self, settings: Settings, engine: Engine, shutting_down: Callable[[], bool]) -> None:
        self._client = redis.Redis.from_url(redis_url(settings), socket_connect_timeout=5, socket_timeout=10)
        self.engine = engine
        self.runtime = Runtime(settings, Database(settings.sql_url), Blobs(settings.picture_url), EventWriter(self._client), shutting_down)
        self._worker = presence.Worker(
            hostname=socket.gethostname(),
            pid=os.getpid(),
            queues=[STYLIZE],
            precision=engine.precision,
            device=engine.device,
            at=time.time(),
        )
        self._ended = threading.Event()

    @classmethod
    def start(cls, settings: Settings, shutting_down: Callable[[], bool]) -> Child:
        """Load the networks, warm them up, and only then say that this worker is there."""
        from workers.style.engine import Engine

        engine = Engine(settings)
        if settings.warm_up:
            engine.warm_up()
        child = cls(settings, engine, shutting_down)
        threading.Thread(target=child._beat, name="presence", daemon=True).start()
        return child

    def close(self) -> None:
        self._ended.set()
        try:
            presence.withdraw(self._client, self._worker)
        except RedisError as error:
            log.info("not withdrawn, the key expires: %s", error)
        self.runtime.database.close()

    def _beat(self) -> None:
        while not self._ended.is_set():
            try:
                presence.announce(self._client, self._worker)
            except RedisError as error:
                log.warning("broker away: %s", error)
            self._ended.wait(presence.BEAT_SECONDS)
