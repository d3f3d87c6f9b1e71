"""Places for what lasts, as rates are for what is done at once: so many in all, and a share of them for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from app.core.errors import TooMany, Unavailable

_RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Share:
    """Who wants a place, how many they may have, and what they are told who have them all."""

    who: str
    most: int
    said: str


class Places:
    """The places of one process.

    Args:
        full: what a person is told when none is left.
    """

    def __init__(self, most: int, full: str) -> None:
        self.most = most
        self._full = full
        self._held: Counter[str] = Counter()
        self._count = 0
        self._lock = Lock()

    @contextmanager
    def one(self, shares: Sequence[Share]) -> Iterator[None]:
        """Hold a place for the block.

        Args:
            shares: everybody whom it is counted for.

        Raises:
            TooMany: one of them has as many as they may.
            Unavailable: none is left for anybody.
        """
        self._take(shares)
        try:
            yield
        finally:
            self._give_back(shares)

    def _take(self, shares: Sequence[Share]) -> None:
        with self._lock:
            for share in shares:
                if self._held[share.who] >= share.most:
                    raise TooMany(share.said, retry_after=_RETRY_AFTER)
            if self._count >= self.most:
                raise Unavailable(self._full)
            self._count += 1
            self._held.update(share.who for share in shares)

    def _give_back(self, shares: Sequence[Share]) -> None:
        with self._lock:
            self._count -= 1
            self._held.subtract(share.who for share in shares)
            # Nobody is remembered who holds none.
            self._held = +self._held
