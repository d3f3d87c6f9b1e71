"""Work that takes much memory: some of it at once, a few more who wait for their turn, and the rest sent away at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from app.core.errors import Unavailable


class Hands:
    """So many hands, and so many places to wait for one: each place holds a thread, of which the web server has few.

    Args:
        said: what a person is told for whom there is neither.
    """

    def __init__(self, count: int, places: int, said: str) -> None:
        self._hands = BoundedSemaphore(count)
        self._places = BoundedSemaphore(places)
        self._said = said

    @contextmanager
    def one(self, wait: float) -> Iterator[None]:
        """Hold a hand for the block, after at most so many seconds.

        Raises:
            Unavailable: none in time, or as many wait as may.
        """
        if not (self._hands.acquire(blocking=False) or self._in_turn(wait)):
            raise Unavailable(self._said)
        try:
            yield
        finally:
            self._hands.release()

    def _in_turn(self, wait: float) -> bool:
        if not self._places.acquire(blocking=False):
            return False
        try:
            return self._hands.acquire(timeout=wait)
        finally:
            self._places.release()
