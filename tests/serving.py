"""An application behind a real server, as `pentimento web` starts it, and what a client without manners sends it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from app.local.connections import Bounded


@contextmanager
def served(app: ASGIApp, most: int | None = None, http: type[Bounded] = Bounded) -> Iterator[tuple[str, int]]:
    """Serve ``app`` and yield where; ``most`` bounds the open connections."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_level="error", access_log=False, http=http, limit_concurrency=most, proxy_headers=False, timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        host, port = listener.getsockname()
        yield host, port
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def connected(place: tuple[str, int], sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(place, timeout=10) as client:
        client.sendall(sent)
        yield client


def heard(client: socket.socket, seconds: float = 10) -> bytes:
    """Return what comes until the server closes the connection."""
    client.settimeout(seconds)
    received = b""
    try:
        while chunk := client.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def until(client: socket.socket, end: bytes) -> bytes:
    """Return what comes until it ends so, or until the server closes the connection."""
    received = b""
    while not received.endswith(end) and (chunk := client.recv(65536)):
        received += chunk
    return received if received.endswith(end) else b""


def stays_open(client: socket.socket, seconds: float) -> bool:
    """Tell whether nothing comes for so long, not even an end."""
    client.settimeout(seconds)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    return False
