"""Connections that the web server bounds: how many, and how long each may take to say what it wants."""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

# For the head of a request, for what is left of a body after its answer, and for reading anything of an answer.
HEAD_SECONDS = 10.0
REST_SECONDS = 60.0
READ_SECONDS = 60.0
# Database, decoders, logs and pictures that are read.
_OWN_FILES = 256
# For a client to read that it was refused: closed at once, it might only see that the connection broke.
_GOODBYE_SECONDS = 1.0
_SAID = b"Too many connections are open. Try again in a moment.\n"
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 5\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_SAID), _SAID)
)


class Bounded(H11Protocol):
    """Speaks HTTP as uvicorn does, with ``limit_concurrency`` of its configuration as a bound on open connections."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most = self.limit_concurrency
        # uvicorn would count after a request is read, and say nothing of when to come back.
        self.limit_concurrency = None
        self._refused = False
        self._timer: asyncio.TimerHandle | None = None
        self._patience: float | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._most is not None and len(self.connections) > self._most:
            self._refused = True
            transport.write(_REFUSAL)
            transport.write_eof()
            self._timer = self.loop.call_later(_GOODBYE_SECONDS, transport.close)
            return
        self._wait(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        self._wait(HEAD_SECONDS if self.conn.their_state is h11.IDLE else self._for_the_rest())

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # A connection that waits for its next request has uvicorn's own time for that.
        self._wait(self._for_the_rest())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait(None)
        self._read()
        super().connection_lost(exc)

    def _for_the_rest(self) -> float | None:
        answered = self.cycle is not None and self.cycle.response_complete
        return REST_SECONDS if answered and self.conn.their_state is h11.SEND_BODY else None

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _wait(self, seconds: float | None) -> None:
        """Give the client so long from now on; what it was given already goes on."""
        if self._timer is not None and seconds == self._patience:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._patience = seconds
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def make_room(most: int) -> None:
    """Let this process open as many files as so many connections need, or as many as it may: an event stream has one of the broker's too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * most + _OWN_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
