"""Someone who sends pictures by HTTP and writes down each job that was acknowledged, after the answer."""

from __future__ import annotations

import http.client
import io
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
import numpy as np
from PIL import Image

from tests.faults.checks import Acknowledged
from tests.faults.minds import Wishes

# Half of it does not fit a buffer.
_SIZE = (128, 96)
# Of the answers to uploads: in time, or later.
ACCEPTED, LATER = 202, (429, 503, 507)


def png(side: tuple[int, int] = _SIZE, seed: int = 0) -> bytes:
    """Return noise as a file, which does not get smaller."""
    width, height = side
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


PHOTOGRAPH, PAINTING = png(seed=1), png(seed=2)


class Visitor:
    """One owner. Not to be shared by threads; the ledger may be."""

    def __init__(self, address: str, ledger: dict[str, Acknowledged], first_seed: int = 1000) -> None:
        self._client = httpx2.Client(base_url=address, timeout=60)
        self._ledger = ledger
        self._seeds = itertools.count(first_seed)
        # Answers that were neither an acknowledgement nor a word that it has to wait.
        self.surprises: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return self._client.request(method, path, **more)

    def send(self, *, seed: int | None = None, steps: int = 20, content: bytes = PHOTOGRAPH) -> httpx2.Response:
        seed = next(self._seeds) if seed is None else seed
        files = {"content": ("photograph.png", content, "image/png"), "style": ("painting.png", PAINTING, "image/png")}
        data = {"seed": str(seed), "iterations": str(steps), "size": "64", "plateau": "0"}
        answer = self._client.post("/api/jobs", files=files, data=data)
        if answer.status_code == ACCEPTED:
            self._ledger[answer.json()["id"]] = Acknowledged(seed)
        elif answer.status_code not in LATER:
            self.surprises.append(f"{answer.status_code}: {answer.text[:200]}")
        return answer

    def submit(self, *, seed: int | None = None, steps: int = 20) -> str | None:
        """Send a picture; return its job, or None where there was no answer, or none that acknowledges it."""
        try:
            answer = self.send(seed=seed, steps=steps)
        except httpx2.HTTPError:
            # Its process was killed: nobody was told anything.
            return None
        return str(answer.json()["id"]) if answer.status_code == ACCEPTED else None

    def surely(self, *, seed: int | None = None, steps: int = 20, patience: float = 60.0) -> str:
        """Send a picture until it is acknowledged."""
        deadline = time.monotonic() + patience
        while (job_id := self.submit(seed=seed, steps=steps)) is None:
            assert time.monotonic() < deadline, f"no upload was acknowledged: {self.surprises}"
            time.sleep(0.1)
        return job_id


class Crowd:
    """Visitors who go on sending pictures, each in a thread, while ``wanted`` says so.

    Args:
        fickle: the share of pictures about which they change their mind.
    """

    def __init__(
        self,
        address: str,
        ledger: dict[str, Acknowledged],
        wanted: Callable[[], bool],
        people: int = 2,
        steps: int = 20,
        fickle: float = 0.0,
    ) -> None:
        self._ended = threading.Event()
        self._visitors = [Visitor(address, ledger, first_seed=100_000 * (number + 1)) for number in range(people)]
        self._wishes = [Wishes(visitor.ask, ledger, number, fickle) for number, visitor in enumerate(self._visitors)]
        pairs = zip(self._visitors, self._wishes, strict=True)
        self._threads = [threading.Thread(target=self._send, args=(*pair, wanted, steps), daemon=True) for pair in pairs]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(90)
        for visitor in self._visitors:
            visitor._client.close()

    @property
    def surprises(self) -> list[str]:
        return [surprise for one in (*self._visitors, *self._wishes) for surprise in one.surprises]

    @property
    def asked(self) -> Counter[str]:
        """Of how many pictures what was asked."""
        return Counter(name for wishes in self._wishes for name in wishes.asked)

    def _send(self, visitor: Visitor, wishes: Wishes, wanted: Callable[[], bool], steps: int) -> None:
        while not self._ended.is_set():
            wishes.tell()
            job_id = visitor.submit(steps=steps) if wanted() else None
            if job_id is None:
                self._ended.wait(0.05)
            else:
                wishes.think(job_id)
        wishes.tell_all()


class SlowClient:
    """Someone whose upload trickles in, a few bytes at a time, and who may never finish it."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 80), timeout=60)
        self._connection.putrequest("POST", "/api/jobs")
        self._connection.putheader("Content-Type", "multipart/form-data; boundary=slow")
        self._connection.putheader("Content-Length", str(len(PHOTOGRAPH) + 1_000))
        self._connection.endheaders()

    def trickle(self, seconds: float) -> None:
        head = b'--slow\r\nContent-Disposition: form-data; name="content"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        until = time.monotonic() + seconds
        for byte in head + PHOTOGRAPH:
            if time.monotonic() > until:
                break
            try:
                self._connection.send(bytes([byte]))
            except OSError:
                return  # it was hung up on, as may be
            time.sleep(0.05)

    def leave(self) -> None:
        self._connection.close()
