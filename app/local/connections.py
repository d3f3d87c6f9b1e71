"""Connections that the web server bounds: how many, and how long each may take to say what it wants."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, ClassVar

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.core.config import Settings
from app.infra.rates import network_of

# For the head of a request, for what is left of a body after its answer, and for reading anything of an answer.
HEAD_SECONDS = 10.0
REST_SECONDS = 60.0
READ_SECONDS = 60.0
# Database, decoders, logs and pictures that are read.
_OWN_FILES = 256
# For a client to read that it was refused: closed at once, it might only see that the connection broke.
_GOODBYE_SECONDS = 1.0


def _refusal(status: bytes, said: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(said)) + said


_FULL = _refusal(b"503 Service Unavailable", b"Too many connections are open. Try again in a moment.\n")
_TOO_MANY = _refusal(b"429 Too Many Requests", b"Too many connections are open from your address. Try again in a moment.\n")


class Bounded(H11Protocol):
    """Speaks HTTP as uvicorn does, with ``limit_concurrency`` of its configuration as a bound on open connections.

    Attributes:
        most_each: bound on those of one address.
        proxies: addresses that many people come from, and that have no such bound.
    """

    most_each: ClassVar[int | None] = None
    proxies: ClassVar[Sequence[IPv4Network | IPv6Network]] = ()

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most = self.limit_concurrency
        # uvicorn would count after a request is read, and say nothing of when to come back.
        self.limit_concurrency = None
        self._refused = False
        self._from = ""
        self._timer: asyncio.TimerHandle | None = None
        self._patience: float | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._from = network_of(self.client[0]) if self.client else ""
        if self._most is not None and len(self.connections) > self._most:
            self._refuse(_FULL)
        elif self._is_one_too_many():
            self._refuse(_TOO_MANY)
        else:
            self._wait(HEAD_SECONDS)

    def _is_one_too_many(self) -> bool:
        """Tell whether others of the same address have as many connections as it may have."""
        if self.most_each is None or self.client is None or self._is_proxy(self.client[0]):
            return False
        alike: int = sum(isinstance(one, Bounded) and one._from == self._from and not one._refused for one in self.connections)
        return alike > self.most_each

    def _is_proxy(self, address: str) -> bool:
        try:
            given = ip_address(address)
        except ValueError:
            return False
        return any(given in network for network in self.proxies)

    def _refuse(self, said: bytes) -> None:
        self._refused = True
        self.transport.write(said)
        self.transport.write_eof()
        self._timer = self.loop.call_later(_GOODBYE_SECONDS, self.transport.close)

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


def bounded(settings: Settings) -> type[Bounded]:
    """Return the protocol with the bounds of the settings."""
    proxies = tuple(ip_network(one.strip()) for one in settings.proxy_addresses.split(","))
    return type("Bounded", (Bounded,), {"most_each": settings.max_address_connections, "proxies": proxies})


def make_room(most: int) -> None:
    """Let this process open as many files as so many connections need, or as many as it may: an event stream has one of the broker's too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * most + _OWN_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
