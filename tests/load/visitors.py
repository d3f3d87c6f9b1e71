"""People who bring pictures faster than anyone could paint them, and others who only look at pages."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2


@dataclass
class Met:
    """How visitors were met.

    Attributes:
        answers: uploads by HTTP status.
        refused: seconds until each refusal.
        pages: seconds until each page stood.
    """

    answers: Counter[int] = field(default_factory=Counter)
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)


def bring(address: str, files: Any, *, rate: float, seconds: float, owners: int) -> Met:
    """Send ``rate`` uploads a second, whether or not those before were answered, and ask for a page twice a second meanwhile."""
    return asyncio.run(_bring(address, files, rate, seconds, owners))


async def _bring(address: str, files: Any, rate: float, seconds: float, owners: int) -> Met:
    met, limits = Met(), httpx2.Limits(max_connections=1000)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=120) as stranger:
        people: Sequence[httpx2.AsyncClient] = [httpx2.AsyncClient(base_url=address, limits=limits, timeout=120) for _ in range(owners)]
        for person in people:
            await person.get("/verdict")
        began, under_way = time.monotonic(), []
        looking = asyncio.create_task(_look(stranger, met))
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            under_way.append(asyncio.create_task(_upload(people[number % owners], files, met)))
        await asyncio.gather(*under_way)
        looking.cancel()
        for person in people:
            await person.aclose()
    return met


async def _upload(client: httpx2.AsyncClient, files: Any, met: Met) -> None:
    began = time.monotonic()
    answer = await client.post("/api/jobs", files=files, data={"size": "64"})
    took = time.monotonic() - began
    met.answers[answer.status_code] += 1
    (met.accepted if answer.status_code == 202 else met.refused).append(took)


async def _look(client: httpx2.AsyncClient, met: Met) -> None:
    while True:
        began = time.monotonic()
        answer = await client.get("/")
        assert answer.status_code == 200
        met.pages.append(time.monotonic() - began)
        await asyncio.sleep(0.5)
