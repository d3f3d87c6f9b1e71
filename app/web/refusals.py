"""Counts what is refused for the moment, whoever refuses it and in whatever form, for the operator's metrics."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.infra.tally import Tally

# Of what is asked for rightly, but cannot be done at this moment.
_STATUSES = frozenset({429, 503, 507})
# Says by its status what it was asked, and refuses nothing.
_ANSWERS = frozenset({"/readyz"})


class Refusals:
    """ASGI middleware around everything that refuses."""

    def __init__(self, app: ASGIApp, tally: Tally) -> None:
        self._app = app
        self._tally = tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ANSWERS:
            await self._app(scope, receive, send)
            return
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            # After the answer, so that nobody waits for it.
            if status in _STATUSES:
                await run_in_threadpool(self._tally.add, "refusals", status=str(status))
