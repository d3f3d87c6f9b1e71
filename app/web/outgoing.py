"""Answers on their way out: sent in pieces, so that a client's reading sets the pace, and bounded in what they hold together."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import Unavailable
from app.web import error_handlers

# The server waits after each piece until enough of it is read, and tells a slow reader by that from one who does not read.
PIECE = 128_000
# What large answers hold in memory together, until they are read. A picture of 4096 pixels has up to 100 MB with 16 bits.
MOST_BYTES = 400_000_000
_SAID = "Several large pictures are being downloaded at this moment. Try again in some seconds."


class Outgoing:
    """ASGI middleware around everything that answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, receive, send)

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                large = _large(scope, message)
                # One is always let out, whatever its size.
                if large and self._held and self._held + large > MOST_BYTES:
                    await answer.refuse()
                    return
                answer.held = large
                self._held += large
            await answer.pass_on(message)

        try:
            await self._app(scope, receive, pass_on)
        finally:
            self._held -= answer.held


class _Answer:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.held = 0
        self._scope = scope
        self._receive = receive
        self._send = send
        self._refused = False

    async def refuse(self) -> None:
        self._refused = True
        await error_handlers.respond(Request(self._scope), Unavailable(_SAID))(self._scope, self._receive, self._send)

    async def pass_on(self, message: Message) -> None:
        if self._refused:
            return
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) <= PIECE:
            await self._send(message)
            return
        view = memoryview(body)
        for at in range(0, len(body), PIECE):
            last = at + PIECE >= len(body)
            await self._send({**message, "body": bytes(view[at : at + PIECE]), "more_body": message.get("more_body", False) or not last})


def _large(scope: Scope, message: Message) -> int:
    """Return the bytes of an answer that is more than one piece; one that does not know its length is made while it is sent."""
    length = Headers(raw=message.get("headers", [])).get("content-length", "")
    return int(length) if scope["method"] != "HEAD" and length.isdecimal() and int(length) > PIECE else 0
