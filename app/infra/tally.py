"""Counts of what has happened, added up over all processes in Redis, for the operator's metrics.

They begin at nothing again where the broker forgets them, as counters may; a count that cannot be
made is left out, since no work waits for it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

_KEY = "pentimento:tally"


@dataclass(frozen=True)
class Count:
    """How often something has happened, or how much of it there was, with what it was about."""

    name: str
    about: dict[str, str]
    value: float


class Tally:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def add(self, name: str, amount: float = 1.0, **about: str) -> None:
        """Add to the count of this name and these particulars, which are few and never a person's."""
        try:
            self._client.hincrbyfloat(_KEY, json.dumps([name, sorted(about.items())]), amount)
        except RedisError as error:
            log.debug("not counted: %s %s", name, error)

    def read(self) -> Iterator[Count]:
        """Yield every count.

        Raises:
            RedisError: the broker is away.
        """
        for field, value in cast("dict[bytes, bytes]", self._client.hgetall(_KEY)).items():
            name, about = json.loads(field)
            yield Count(name, dict(about), float(value))
