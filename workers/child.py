"""What one worker process holds after its fork: clients, networks, and a sign of life."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import redis
from redis.exceptions import RedisError

from app.core.config import Settings
from app.infra import presence
from app.infra.broker import redis_url
from app.infra.clients import Clients
from app.jobs.models import STYLIZE, VERDICT
from workers.runtime.life import Runtime

if TYPE_CHECKING:
    from workers.style.engine import Engine
    from workers.verdict.feature_cache import FeatureCache
    from workers.verdict.judge import Judge

log = logging.getLogger(__name__)


class Child:
    """Built in the worker's child only: loading a network imports TensorFlow.

    Each network is loaded when it is first asked for, and stays.
    """

    def __init__(self, settings: Settings, queues: Sequence[str], shutting_down: Callable[[], bool]) -> None:
        self._settings = settings
        self._client = redis.Redis.from_url(redis_url(settings), socket_connect_timeout=5, socket_timeout=10)
        self._clients = Clients.of(settings, self._client)
        self.runtime = Runtime(self._clients, shutting_down)
        self._worker = presence.Worker(hostname=socket.gethostname(), pid=os.getpid(), queues=list(queues), at=time.time())
        self._engine: Engine | None = None
        self._judge: Judge | None = None
        self._describer: FeatureCache | None = None
        self._ended = threading.Event()

    @classmethod
    def start(cls, settings: Settings, queues: Sequence[str], shutting_down: Callable[[], bool]) -> Child:
        """Load what the queues need at once, warm it up, and only then say that this worker is there."""
        child = cls(settings, queues, shutting_down)
        if settings.warm_up:
            child.warm_up(queues)
        threading.Thread(target=child._beat, name="presence", daemon=True).start()
        return child

    def warm_up(self, queues: Sequence[str]) -> None:
        """Load what single pictures wait for. Experiments take long anyway: their networks come with the first."""
        if STYLIZE in queues:
            self.engine()
        if VERDICT in queues:
            self.judge()

    def engine(self) -> Engine:
        """Return what paints."""
        if self._engine is None:
            from workers.style.engine import Engine

            self._engine = Engine(self._settings)
            if self._settings.warm_up:
                self._engine.warm_up()
            self._name_device()
        return self._engine

    def judge(self) -> Judge:
        """Return what judges."""
        if self._judge is None:
            from workers.verdict.judge import Judge

            self._judge = Judge(self._settings)
            if self._settings.warm_up:
                self._judge.judge(np.full((64, 64, 3), 128, np.uint8))
            self._name_device()
        return self._judge

    def describer(self) -> FeatureCache:
        """Return what turns pictures into features, and remembers those it has seen; what nobody used for long is forgotten."""
        from workers.verdict.remembered import forget_old

        features = self._settings.data / "features"
        if gone := forget_old(features):
            log.info("features forgotten: %d files", gone)
        if self._describer is None:
            from workers.verdict.feature_cache import FeatureCache
            from workers.verdict.features import Extractor

            self._describer = FeatureCache(Extractor(self._settings), features)
            self._name_device()
        return self._describer

    def close(self) -> None:
        self._ended.set()
        try:
            presence.withdraw(self._client, self._worker)
        except RedisError as error:
            log.info("not withdrawn, the key expires: %s", error)
        self._clients.broker.close()
        self._clients.database.close()

    def _name_device(self) -> None:
        from workers.nets.precision import choose, device

        self._worker = self._worker.model_copy(update={"precision": choose(self._settings.precision), "device": device()})

    def _beat(self) -> None:
        while not self._ended.is_set():
            try:
                presence.announce(self._client, self._worker)
            except RedisError as error:
                log.warning("broker away: %s", error)
            self._ended.wait(presence.BEAT_SECONDS)
