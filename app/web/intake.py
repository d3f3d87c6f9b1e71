"""Bodies that come too slowly or are too long are given up, whichever route reads them."""

from __future__ import annotations

import asyncio
import math
import time
from typing import cast

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.config import Settings

# What no route's JSON reaches. A form with files is counted by its reader, which asks for more.
MOST_BYTES = 1_000_000
# What a body may be behind its rate, and never ahead of it: much sent at once buys no time for later.
PATIENCE_SECONDS = 10.0
_BODY = "pentimento.body"
_SLOW = "Your request came so slowly that it was given up. Try again on a better connection, or send smaller pictures."
_LONG = f"A request that is no form with files has at most {MOST_BYTES} bytes."


class Intake:
    """ASGI middleware: watches each body until its end, and nothing after it: an event stream may wait for ever."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._seconds = settings.body_seconds
        self._least_rate = settings.least_body_rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            body = scope[_BODY] = _Body(receive, Headers(scope=scope), self._seconds, self._least_rate)
            receive = body.receive
        await self._app(scope, receive, send)


class _Body:
    """One request's body on its way in.

    Raises:
        HTTPException: from ``receive``, 408 or 413, which every route lets through.
    """

    def __init__(self, receive: Receive, headers: Headers, seconds: float, least_rate: float) -> None:
        self.most: int | None = MOST_BYTES
        self._receive = receive
        self._announced = int(length) if (length := headers.get("content-length", "")).isdecimal() else 0
        self._seconds = seconds
        self._least_rate = least_rate
        self._received = 0
        self._credit = PATIENCE_SECONDS
        self._ended = False

    async def receive(self) -> Message:
        if self._ended:
            return await self._receive()
        if self.most is not None and self._announced > self.most:
            raise HTTPException(413, _LONG)
        began = time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), self._seconds)
        except TimeoutError:
            raise _slow() from None
        brought = len(message.get("body", b""))
        self._received += brought
        # Only what the client has let us wait counts against it, not what we did with what came.
        earned = brought / self._least_rate if self._least_rate else math.inf
        self._credit = min(PATIENCE_SECONDS, self._credit - (time.monotonic() - began) + earned)
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        if self.most is not None and self._received > self.most:
            raise HTTPException(413, _LONG)
        if not self._ended and self._credit < 0:
            raise _slow()
        return message


def _slow() -> HTTPException:
    return HTTPException(408, _SLOW, {"Connection": "close"})


def allow_more(request: Request) -> None:
    """Let the request's body be longer than what is no form: for whoever counts it while reading."""
    body = request.scope.get(_BODY)
    if body is not None:
        cast(_Body, body).most = None
