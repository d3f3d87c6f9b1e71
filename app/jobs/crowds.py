"""Who sends pictures from one address: a new cookie is had for nothing, so that what waits of all of them has a limit together.

Which owners came from an address is in Redis alone, under a keyed hash of the address, and forgotten after a week.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import cast

import redis
from redis.exceptions import RedisError

from app.core.errors import TooMany
from app.infra.database import Database
from app.infra.rates import hidden
from app.jobs import repository

log = logging.getLogger(__name__)

_PREFIX = "pentimento:crowd:"
_KEPT_SECONDS = 7 * 24 * 3600
# An owner of whom nothing waits is left out after that: until then their first picture may be on its way.
_ARRIVING_SECONDS = 600.0
# More come from no address within that time, as rates have it.
_MOST_OWNERS = 10_000


class Crowds:
    """
    Args:
        clock: seconds since 1970.
    """

    def __init__(self, client: redis.Redis, database: Database, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._database = database
        self._secret = secret
        self._clock = clock

    def join(self, kind: str, address: str, owner: str, most: int) -> None:
        """Count an owner among those of the address.

        Raises:
            TooMany: together they have ``most`` jobs of that kind already that have not ended.
        """
        key = f"{_PREFIX}{kind}:{hidden(self._secret, 'crowd', address)}"
        try:
            joined = {name.decode(): at for name, at in cast("list[tuple[bytes, float]]", self._client.zrange(key, 0, -1, withscores=True))}
            with self._database.read() as session:
                waiting = repository.count_unfinished_of(session, kind, joined)
            if sum(waiting.values()) >= most:
                raise TooMany("Many pictures from your address are waiting already. Try again when some of them are finished.")
            self._note(key, owner, [name for name, at in joined.items() if name not in waiting and at < self._clock() - _ARRIVING_SECONDS])
        except RedisError as error:
            # Each owner's own limit holds all the same.
            log.debug("nobody is counted by address: %s", error)

    def _note(self, key: str, owner: str, left_out: list[str]) -> None:
        with self._client.pipeline() as pipeline:
            if left_out:
                pipeline.zrem(key, *left_out)
            pipeline.zadd(key, {owner: self._clock()})
            pipeline.zremrangebyrank(key, 0, -_MOST_OWNERS - 1)
            pipeline.expire(key, _KEPT_SECONDS)
            pipeline.execute()
