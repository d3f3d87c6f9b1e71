"""Live events of a job, in a Redis Stream. A view that can be thrown away: the row is the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import redis
import redis.asyncio

_KEPT = 400
_KEPT_SECONDS = 24 * 3600
# Long enough for a page that lost its connection at the end; later ones read the row.
_KEPT_ENDED_SECONDS = 600
START = "0-0"


def _key(job_id: str) -> str:
    return f"pentimento:events:{job_id}"


class EventWriter:
    """Appends events; used by workers and by the web process."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def publish(self, job_id: str, payload: str, *, last: bool = False) -> None:
        """Append an event; after the ``last`` one of a job the stream is kept only for a while."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.xadd(_key(job_id), {"event": payload}, maxlen=_KEPT, approximate=True)
        pipeline.expire(_key(job_id), _KEPT_ENDED_SECONDS if last else _KEPT_SECONDS)
        pipeline.execute()

    def forget(self, job_id: str) -> None:
        self._client.delete(_key(job_id))


class EventReader:
    """Reads events; used by the page's and the API's event streams."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client

    async def last_id(self, job_id: str) -> str:
        """Return the id of the newest event, or ``0-0``."""
        entries: Any = await self._client.xrevrange(_key(job_id), count=1)
        return _text(entries[0][0]) if entries else START

    async def holds(self, job_id: str, entry_id: str) -> bool:
        """Say whether the stream still has that event, so that nothing after it is missing."""
        entries: Any = await self._client.xrange(_key(job_id), min=entry_id, max=entry_id, count=1)
        return bool(entries)

    async def after(self, job_id: str, last_id: str, wait_ms: int) -> AsyncIterator[tuple[str, str]]:
        """Yield (id, payload) of the events after ``last_id``, waiting for the first up to ``wait_ms``."""
        answer: Any = await self._client.xread({_key(job_id): last_id}, block=wait_ms, count=_KEPT)
        for _, entries in answer or []:
            for entry_id, fields in entries:
                yield _text(entry_id), _text(fields.get(b"event") or fields["event"])


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
