"""Many clients that follow one job, some of whom lose their connection on the way."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx2

from app.infra.clients import Clients
from app.jobs import job_events, repository
from app.jobs.job_events import JobEvent
from app.jobs.models import Job, State

_LEASE_SECONDS = 3600.0


@dataclass
class Seen:
    """What all clients saw: seconds from an event's sending to its coming, and the state that each client ended in."""

    delays: list[float] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    connected: int = 0
    reconnected: int = 0


def watch(
    clients: Clients, job_id: str, address: str, cookies: dict[str, str], *, count: int, events: int, rate: float, seed: int = 0
) -> Seen:
    """Let ``count`` clients follow a queued job while a made-up worker sends ``events`` of it, ``rate`` a second.

    A third of the clients lose their connection once, at a random moment, and come back with Last-Event-ID.
    """
    with clients.database.write() as session:
        job = session.get_one(Job, job_id)
        job.state, job.attempt, job.lease_until = State.RUNNING, 1, repository.now(session) + _LEASE_SECONDS
    return asyncio.run(_watch(clients, job, address, cookies, count, events, rate, random.Random(seed)))


async def _watch(
    clients: Clients, job: Job, address: str, cookies: dict[str, str], count: int, events: int, rate: float, rng: random.Random
) -> Seen:
    seen, began = Seen(), time.time()
    limits = httpx2.Limits(max_connections=count + 10)
    async with httpx2.AsyncClient(base_url=address, cookies=cookies, limits=limits, timeout=60) as client:
        drops = [rng.randint(1, events - 1) if number % 3 == 0 else None for number in range(count)]
        followers = [asyncio.create_task(_follow(client, job.id, began, drop, seen)) for drop in drops]
        await _until(lambda: seen.connected == count)
        await asyncio.to_thread(_send, clients, job, began, events, rate)
        seen.ended = list(await asyncio.wait_for(asyncio.gather(*followers), timeout=60))
    return seen


async def _until(condition: Callable[[], bool], patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        await asyncio.sleep(0.05)


async def _follow(client: httpx2.AsyncClient, job_id: str, began: float, drop: int | None, seen: Seen) -> str:
    last_id, state, heard = "", "", -1
    while state not in (State.DONE, State.FAILED, State.CANCELLED):
        headers = {"Last-Event-ID": last_id} if last_id else {}
        connected = time.time() - began
        async with client.stream("GET", f"/api/jobs/{job_id}/events", headers=headers) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("id:"):
                    last_id = line.removeprefix("id:").strip()
                if not line.startswith("data:"):
                    continue
                event = json.loads(line.removeprefix("data:"))
                state = event["state"]
                if heard < 0:
                    # The first event is the row's state.
                    seen.connected, heard = seen.connected + 1, 0
                # What was sent before the connection stood says nothing about its speed.
                if event["elapsed"] and event["elapsed"] > connected and state == State.RUNNING:
                    seen.delays.append(time.time() - began - event["elapsed"])
                    heard += 1
                if heard == drop:
                    drop = None
                    seen.reconnected += 1
                    break
    return state


def _send(clients: Clients, job: Job, began: float, events: int, rate: float) -> None:
    for number in range(events):
        told: JobEvent = job_events.snapshot(job).model_copy(
            update={"percent": 100 * number / events, "iteration": number, "elapsed": time.time() - began}
        )
        clients.events.publish(job.id, told.model_dump_json())
        time.sleep(1 / rate)
    with clients.database.write() as session:
        ended = session.get_one(Job, job.id)
        ended.state, ended.lease_until, ended.finished_at = State.DONE, None, repository.now(session)
    clients.events.publish(job.id, job_events.snapshot(ended).model_dump_json(), last=True)


def percentile(figures: Sequence[float], share: float) -> float:
    """Return the figure that ``share`` of them do not exceed."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
