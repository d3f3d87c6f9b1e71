"""Following something that has rows but no stream of its own: it is looked at each second, and told when it changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from app.core.errors import NotFound
from app.web.sse import KEEP_ALIVE_SECONDS

LOOK_SECONDS = 1.0

T = TypeVar("T")


async def watch(read: Callable[[], T], at_rest: Callable[[T], bool], closing: asyncio.Event) -> AsyncIterator[T | None]:
    """Yield the newest state at once and whenever it changes, until it is at rest, deleted, or the server closes.

    None is a sign of life. No database session is held while waiting: ``read`` opens a short one in a thread.
    """
    shown: T | None = None
    told = time.monotonic()
    while not closing.is_set():
        try:
            state = await run_in_threadpool(read)
        except NotFound:
            return
        if state != shown:
            shown, told = state, time.monotonic()
            yield state
        elif time.monotonic() - told >= KEEP_ALIVE_SECONDS:
            told = time.monotonic()
            yield None
        if at_rest(state):
            return
        try:
            await asyncio.wait_for(closing.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue
