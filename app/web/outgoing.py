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
        # Of an answer that may be large, until it is known whether it is whole or made while it is sent.
        begun: Message | None = None
        held = 0
        refused = False

        async def pass_on(message: Message) -> None:
            nonlocal begun, held, refused
            if refused:
                return
            if message["type"] == "http.response.start" and _may_be_large(scope, message):
                begun = message
                return
            if begun is not None:
                body = len(message.get("body", b""))
                held = body if body > PIECE else 0
                # One is always let out, whatever its size.
                if held and self._held and self._held + held > MOST_BYTES:
                    held, refused = 0, True
                    await error_handlers.respond(Request(scope), Unavailable(_SAID))(scope, receive, send)
                    return
                self._held += held
                start, begun = begun, None
                await send(start)
            await _in_pieces(message, send)

        try:
            await self._app(scope, receive, pass_on)
        finally:
            self._held -= held


def _may_be_large(scope: Scope, message: Message) -> bool:
    length = Headers(raw=message.get("headers", [])).get("content-length", "")
    return scope["method"] != "HEAD" and length.isdecimal() and int(length) > PIECE


async def _in_pieces(message: Message, send: Send) -> None:
    body = message.get("body", b"")
    if len(body) <= PIECE:
        await send(message)
        return
    view = memoryview(body)
    for at in range(0, len(body), PIECE):
        last = at + PIECE >= len(body)
        await send({**message, "body": bytes(view[at : at + PIECE]), "more_body": message.get("more_body", False) or not last})
