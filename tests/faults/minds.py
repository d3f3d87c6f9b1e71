"""What people do with a picture that they have sent, besides waiting for it."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from app.jobs.models import State
from tests.faults.checks import Acknowledged

# What they hear: it is done, it will be, or it is too late for it.
_HEARD = (200, 202, 409)
_LATER = (429, 503, 507)
_AGAIN_SECONDS = 0.2


@dataclass(frozen=True)
class Mind:
    """
    Attributes:
        asks: method and end of the address, one after the other.
        ends: what the job may end as.
    """

    asks: tuple[tuple[str, str], ...]
    ends: frozenset[State]


_KEPT, _CALLED_OFF = frozenset({State.DONE}), frozenset({State.DONE, State.CANCELLED})
MINDS = {
    "stop": Mind((("POST", "/stop"),), _KEPT),
    "cancel": Mind((("POST", "/cancel"),), _CALLED_OFF),
    "pause, resume": Mind((("POST", "/pause"), ("POST", "/resume")), _KEPT),
    "pause, stop": Mind((("POST", "/pause"), ("POST", "/stop")), _KEPT),
    "pause, cancel": Mind((("POST", "/pause"), ("POST", "/cancel")), _CALLED_OFF),
    "delete, restore": Mind((("DELETE", ""), ("POST", "/restore")), _CALLED_OFF),
}

Ask = Callable[[str, str], httpx2.Response]


class Wishes:
    """What one visitor still wants of pictures. Whoever hears nothing asks again.

    Args:
        share: of pictures about which there is a wish.
        longest: seconds until it comes up, and between two that belong together.
    """

    def __init__(self, ask: Ask, ledger: dict[str, Acknowledged], seed: int, share: float, longest: float = 1.5) -> None:
        self._ask = ask
        self._ledger = ledger
        self._random = random.Random(seed)
        self._share, self._longest = share, longest
        self._open: deque[tuple[float, str, deque[tuple[str, str]]]] = deque()
        self.surprises: list[str] = []
        self.asked: list[str] = []

    def think(self, job_id: str) -> None:
        """Perhaps change one's mind about a job, some time."""
        if self._random.random() >= self._share:
            return
        name = self._random.choice(sorted(MINDS))
        mind = MINDS[name]
        # Before it is asked for: the answer may be lost.
        self._ledger[job_id] = Acknowledged(self._ledger[job_id].seed, mind.ends)
        self._open.append((self._soon(), job_id, deque(mind.asks)))
        self.asked.append(name)

    def tell(self, *, all_of_it: bool = False) -> None:
        """Ask for what is due."""
        for _ in range(len(self._open)):
            due, job_id, asks = self._open.popleft()
            if not all_of_it and time.monotonic() < due:
                self._open.append((due, job_id, asks))
            elif not self._is_heard(job_id, *asks[0]):
                self._open.append((time.monotonic() + _AGAIN_SECONDS, job_id, asks))
            elif len(asks) > 1:
                asks.popleft()
                self._open.append((self._soon(), job_id, asks))

    def tell_all(self, patience: float = 60.0) -> None:
        deadline = time.monotonic() + patience
        while self._open and time.monotonic() < deadline:
            self.tell(all_of_it=True)
            time.sleep(_AGAIN_SECONDS)

    def _is_heard(self, job_id: str, method: str, what: str) -> bool:
        try:
            answer = self._ask(method, f"/api/jobs/{job_id}{what}")
        except httpx2.HTTPError:
            return False
        if answer.status_code not in (*_HEARD, *_LATER):
            self.surprises.append(f"{method} {what}: {answer.status_code}: {answer.text[:200]}")
            return True
        return answer.status_code in _HEARD

    def _soon(self) -> float:
        return time.monotonic() + self._random.uniform(0, self._longest)
