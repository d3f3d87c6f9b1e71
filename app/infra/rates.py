"""How often something was done within a minute: counted in Redis, or here where that is away.

Who did it, an owner or an address, is kept only as a keyed hash, and only for two minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import math
import threading
import time
from collections.abc import Callable

import redis
from redis.exceptions import RedisError

from app.core.errors import TooMany

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
_PREFIX = "pentimento:rate:"
# How long a broker that was away is not asked, so that nobody waits for it again and again.
_AWAY_SECONDS = 5.0


class Rates:
    """Counts by windows of a minute that all processes share.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, client: redis.Redis, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._secret = secret
        self._clock = clock
        self._lock = threading.Lock()
        self._window = 0
        self._here: dict[str, int] = {}
        self._ask_again = 0.0

    def take(self, what: str, who: str, most: int, said: str) -> None:
        """Count one more.

        Args:
            said: what a person is told who did it too often.

        Raises:
            TooMany: it was done ``most`` times in this minute already; carries when the next one begins.
        """
        moment = self._clock()
        window = int(moment // WINDOW_SECONDS)
        if self._count(window, f"{what}:{hidden(self._secret, what, who)}") <= most:
            return
        seconds = max(1, math.ceil((window + 1) * WINDOW_SECONDS - moment))
        raise TooMany(f"{said} Try again in {seconds} s.", retry_after=seconds)

    def _count(self, window: int, key: str) -> int:
        if time.monotonic() >= self._ask_again:
            try:
                return self._count_there(f"{_PREFIX}{key}:{window}")
            except RedisError as error:
                self._ask_again = time.monotonic() + _AWAY_SECONDS
                log.warning("rates are counted in this process alone: %s", error)
        with self._lock:
            if window != self._window:
                self._window, self._here = window, {}
            self._here[key] = self._here.get(key, 0) + 1
            return self._here[key]

    def _count_there(self, key: str) -> int:
        with self._client.pipeline() as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 2 * WINDOW_SECONDS)
            return int(pipeline.execute()[0])


def hidden(secret: str, what: str, who: str) -> str:
    """Return by what somebody is told apart without being known."""
    return hmac.new(secret.encode(), f"{what}:{who}".encode(), hashlib.sha256).hexdigest()[:32]


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the half that a household is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
