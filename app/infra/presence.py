"""Which workers are alive and ready, as they say themselves in Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import redis
from pydantic import BaseModel

BEAT_SECONDS = 3.0
# A beat may come late while a network is loaded, but whoever misses four is gone.
READY_SECONDS = 4 * BEAT_SECONDS
_PREFIX = "pentimento:worker:"


class Worker(BaseModel):
    hostname: str
    pid: int
    queues: list[str]
    # Known once it has loaded a network.
    precision: str = ""
    device: str = ""
    at: float

    @property
    def age(self) -> float:
        """Seconds since the worker last said it was there, by this machine's clock."""
        return max(0.0, time.time() - self.at)

    @property
    def _key(self) -> str:
        return f"{_PREFIX}{self.hostname}:{self.pid}"


def announce(client: redis.Redis, worker: Worker) -> None:
    """Say that ``worker`` is there. A worker that falls silent is forgotten after ``READY_SECONDS``."""
    client.set(worker._key, worker.model_copy(update={"at": time.time()}).model_dump_json(), px=int(READY_SECONDS * 1000))


def withdraw(client: redis.Redis, worker: Worker) -> None:
    client.delete(worker._key)


def present(client: redis.Redis) -> list[Worker]:
    """Return the workers heard of within ``READY_SECONDS``, by the broker's clock."""
    return list(_read(client))


def _read(client: redis.Redis) -> Iterator[Worker]:
    for key in client.scan_iter(match=f"{_PREFIX}*", count=200):
        value: Any = client.get(key)
        if value is not None:
            yield Worker.model_validate_json(value)
