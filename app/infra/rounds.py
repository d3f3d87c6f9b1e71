"""A thread that does the same work again and again, whatever becomes of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from redis.exceptions import RedisError

from app.core.errors import PentimentoError

log = logging.getLogger(__name__)

_LAST_SECONDS = 10.0


class Rounds:
    """
    Args:
        name: what the thread is called, and its failures in the log.
        work: one round of it; what takes long returns early once `ended` says so.
        seconds: how long it rests after each round.
    """

    def __init__(self, name: str, work: Callable[[], object], seconds: float) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._ended = threading.Event()
        self._hurried = threading.Event()
        self._thread: threading.Thread | None = None

    def ended(self) -> bool:
        return self._ended.is_set()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def hurry(self) -> None:
        """Begin the next round at once."""
        self._hurried.set()

    def close(self) -> None:
        self._ended.set()
        self._hurried.set()
        if self._thread is not None:
            self._thread.join(timeout=_LAST_SECONDS)

    def _run(self) -> None:
        while not self.ended():
            try:
                self._work()
            except (PentimentoError, RedisError, OSError) as error:
                log.warning("%s cut short, again in %g s: %s", self._name, self._seconds, error)
            except Exception:
                # Without its rounds, what they care for would be lost silently: whatever it was, the next one comes.
                log.exception("%s failed, again in %g s", self._name, self._seconds)
            self._hurried.wait(self._seconds)
            self._hurried.clear()
