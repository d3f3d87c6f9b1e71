"""Following one job live: the row first, then its stream; the row again whenever the stream is silent."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from app.core.errors import NotFound, PentimentoError
from app.core.logging import about
from app.infra.streams import EventReader
from app.jobs.events import E
from app.jobs.models import TERMINAL, State

log = logging.getLogger(__name__)

_WAIT_MS = 1000
_AWAY_SECONDS = 1.0
ROW_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 15.0
_FLAGS = ("stopping", "pausing", "silent")
_ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}")


@dataclass(frozen=True)
class Sight(Generic[E]):
    """One thing to send: an event with its stream id, or nothing but a sign of life."""

    event: E | None
    id: str | None = None


class Follower(Generic[E]):
    """Follows one job for one client; full state each time, so that repeats and gaps are harmless.

    No database session is held while waiting: ``read_row`` opens a short one in a thread.

    Args:
        model: the event of the job's kind.
    """

    def __init__(self, job_id: str, model: type[E], read_row: Callable[[], E], reader: EventReader, closing: asyncio.Event) -> None:
        self._job_id = job_id
        self._model = model
        self._read_row = read_row
        self._reader = reader
        self._closing = closing
        self._position: str | None = None
        self._shown: E | None = None
        self._gone = False
        self._row_read = self._sent = time.monotonic()

    async def follow(self, last_event_id: str | None = None) -> AsyncIterator[Sight[E]]:
        """Yield the job's state until its end, its deletion or the server's shutdown."""
        # The position is taken before the row is read, so that nothing falls in between.
        resumed = await self._find_position(last_event_id)
        if not resumed:
            sight = await self._look_at_row()
            if sight is not None:
                yield sight
        while not self._ended():
            heard = False
            async for sight in self._listen():
                heard = True
                yield sight
                if self._ended():
                    return
            moment = time.monotonic()
            if not heard and (resumed or moment - self._row_read >= ROW_SECONDS):
                resumed = False
                sight = await self._look_at_row()
                if sight is not None:
                    yield sight
            if moment - self._sent >= KEEP_ALIVE_SECONDS:
                self._sent = moment
                yield Sight(None)

    def _ended(self) -> bool:
        return self._gone or self._closing.is_set() or (self._shown is not None and self._shown.state in TERMINAL)

    async def _find_position(self, last_event_id: str | None) -> bool:
        """Set where to listen from. True: the client has everything up to there."""
        try:
            if last_event_id and _ENTRY_ID.fullmatch(last_event_id) and await self._reader.holds(self._job_id, last_event_id):
                self._position = last_event_id
                return True
            self._position = await self._reader.last_id(self._job_id)
        except (RedisError, OSError) as error:
            with about(job=self._job_id):
                log.warning("stream away, following the row: job=%s %s", self._job_id, error)
        return False

    async def _listen(self) -> AsyncIterator[Sight[E]]:
        try:
            if self._position is None:
                self._position = await self._reader.last_id(self._job_id)
            async for entry_id, payload in self._reader.after(self._job_id, self._position, _WAIT_MS):
                self._position = entry_id
                sight = await self._from_stream(self._model.model_validate_json(payload))
                if sight is not None:
                    yield sight
        except (RedisError, OSError) as error:
            log.debug("stream away, following the row: job=%s %s", self._job_id, error)
            await asyncio.sleep(_AWAY_SECONDS)

    async def _from_stream(self, event: E) -> Sight[E] | None:
        if event.state == State.QUEUED:
            return await self._look_at_row()  # only the database knows the place in the queue
        shown = self._shown
        if shown is None or shown.state != event.state or event.attempt > shown.attempt or event.percent >= shown.percent:
            return self._show(event)
        return self._only_flags(event, shown)

    async def _look_at_row(self) -> Sight[E] | None:
        """Return the row's state where it says something that the client has not seen."""
        shown = self._shown
        event = await self._row()
        if event is None:
            # Deleted meanwhile: for whoever watches, that is its end.
            self._gone = True
            return self._show(shown.model_copy(update={"state": State.CANCELLED, "stopping": False})) if shown else None
        if shown is None or shown.state != event.state or shown.attempt != event.attempt:
            return self._show(event)
        if event.state == State.RUNNING and event.percent < shown.percent:
            return self._only_flags(event, shown)
        return self._show(event) if event != shown else None

    def _only_flags(self, event: E, shown: E) -> Sight[E] | None:
        """The row is written less often than the stream: of older figures only the flags can be news."""
        news = {flag: getattr(event, flag) for flag in _FLAGS if getattr(event, flag) != getattr(shown, flag)}
        if not news:
            return None
        return self._show(shown.model_copy(update=news | ({"remaining": None} if event.silent else {})))

    async def _row(self) -> E | None:
        self._row_read = time.monotonic()
        try:
            return await run_in_threadpool(self._read_row)
        except NotFound:
            return None

    def _show(self, event: E) -> Sight[E]:
        if self._shown is not None and event.state in TERMINAL and self._shown.state == State.RUNNING:
            event = event.model_copy(update={"percent": max(event.percent, self._shown.percent)})
        self._shown = event
        self._sent = time.monotonic()
        return Sight(event, self._position)


class View(Protocol):
    """What a page shows of something that is followed; ``look`` decides which parts are on the page."""

    @property
    def live(self) -> bool: ...

    @property
    def look(self) -> str: ...

    def shown(self, event: Any) -> Self: ...


V = TypeVar("V", bound=View)


async def as_parts(
    follower: Follower[E],
    view: V,
    *,
    whole: Callable[[V], str],
    moved: Callable[[V, V], Iterable[str]],
    anew: Callable[[V], V],
) -> AsyncIterator[str]:
    """Yield messages for a page: all of it when its look changes, otherwise only what moved.

    Args:
        view: as its row tells it.
        whole: returns the message that draws all of it.
        moved: returns those of what may have changed since the view before.
        anew: reads it again, with what its owner and its worker have written since.
    """
    look: str | None = None
    async for sight in follower.follow():
        if sight.event is None:
            yield KEEP_ALIVE
            continue
        before, view = view, view.shown(sight.event)
        if view.look != look:
            view = await run_in_threadpool(_read_again, view, anew)
        for text in [whole(view)] if view.look != look else moved(before, view):
            yield text
        look = view.look
        if not view.live:
            yield message("", event="ended")


def _read_again(view: V, anew: Callable[[V], V]) -> V:
    """Return the view as its row is now; as it was, where what it shows has been deleted."""
    try:
        return anew(view)
    except PentimentoError:
        return view


async def as_json(sights: AsyncIterator[Sight[E]]) -> AsyncIterator[str]:
    """Yield what is seen as messages for programs, each with the whole event."""
    async for sight in sights:
        yield KEEP_ALIVE if sight.event is None else message(sight.event.model_dump_json(), entry_id=sight.id)


def message(data: str, *, event: str | None = None, entry_id: str | None = None) -> str:
    """Return one server-sent event; ``data`` may have several lines."""
    lines = [f"event: {event}"] if event else []
    if entry_id:
        lines.append(f"id: {entry_id}")
    lines.extend(f"data: {line}" for line in data.splitlines() or [""])
    return "\n".join(lines) + "\n\n"


KEEP_ALIVE = ": still here\n\n"


def stream(messages: AsyncIterator[str]) -> StreamingResponse:
    """Return the response; proxies are told not to hold it back."""

    async def guarded() -> AsyncIterator[str]:
        try:
            async for text in messages:
                yield text
        except PentimentoError as error:
            log.warning("stream cut short, the client comes back: %s", error.message)

    return StreamingResponse(
        guarded(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Connection": "keep-alive"},
    )
