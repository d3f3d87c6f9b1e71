"""Connections against a real server: a bound on how many, and on how long each may take to say what it wants."""

from __future__ import annotations

import asyncio
import logging
import resource
import tempfile
import time
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.core.config import Settings
from app.local import connections
from app.local.commands import run_web
from tests.serving import connected, heard, served, stays_open, until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
QUICK, LATE = 0.4, 5.0
MUCH, PIECE = 20_000_000, 100_000


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, or after as many seconds as the path says, without reading a body."""
    if scope["type"] != "http":
        return
    await asyncio.sleep(float(scope["path"].strip("/") or 0))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def much(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with more than the system holds for a client that does not read."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(MUCH).encode())]})
    for _ in range(MUCH // PIECE):
        await send({"type": "http.response.body", "body": b"x" * PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", QUICK)
    monkeypatch.setattr(connections, "REST_SECONDS", QUICK)


def test_one_connection_too_many_is_refused_in_words_until_another_ends() -> None:
    with served(hello, 2) as place:
        with connected(place, b"GET /3 HTTP/1.1\r\nHost: x\r\n\r\n"), connected(place, b"GET /3 HTTP/1.1\r\nHost: x\r\n\r\n"):
            time.sleep(0.1)
            with connected(place, GET) as third:
                said = heard(third)
            assert said.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: 5\r\n" in said
            assert said.endswith(b"Too many connections are open. Try again in a moment.\n")
        time.sleep(0.1)
        with connected(place, GET) as fourth:
            assert fourth.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("proxies", ["127.0.0.1,::1", "10.0.0.0/8, 127.0.0.0/8", "10.0.0.1"])
def test_one_address_has_a_bound_unless_it_is_a_believed_proxy(settings: Settings, proxies: str) -> None:
    http = connections.bounded(settings.model_copy(update={"max_address_connections": 2, "proxy_addresses": proxies}))
    slow = b"GET /3 HTTP/1.1\r\nHost: x\r\n\r\n"
    with served(hello, 10, http) as place:
        with connected(place, slow), connected(place, slow):
            time.sleep(0.2)
            with connected(place) as third, connected(place, GET) as fourth:
                said = fourth.recv(65536)
                assert said.startswith(b"HTTP/1.1 429 " if proxies == "10.0.0.1" else b"HTTP/1.1 200 ")
                if proxies == "10.0.0.1":
                    assert b"\r\nRetry-After: 5\r\n" in said and b"open from your address" in heard(third)
        time.sleep(0.2)
        with connected(place, GET) as fifth:
            assert fifth.recv(100).startswith(b"HTTP/1.1 200")


def test_addresses_of_one_household_count_as_one() -> None:
    http = type("Bounded", (connections.Bounded,), {"most_each": 1})
    state, config = ServerState(), uvicorn.Config(hello)
    answers = []
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "203.0.113.7", "203.0.113.8", "203.0.113.8"):
        transport = Mock(get_extra_info=lambda name, address=address: (address, 1) if name == "peername" else None)
        http(config, state, {}, Mock()).connection_made(transport)
        answers.append(transport.write.called)
    assert answers == [False, True, False, False, False, True]
    state.connections = {one for one in state.connections if one.client[0] == "203.0.113.8" and one._refused}
    transport = Mock(get_extra_info=lambda name: ("203.0.113.8", 1) if name == "peername" else None)
    http(config, state, {}, Mock()).connection_made(transport)
    assert not transport.write.called, "one that was refused takes nobody's place"


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_request_that_is_not_said_in_time_is_not_waited_for(sent: bytes) -> None:
    with served(hello) as place, connected(place, sent) as client:
        began = time.monotonic()
        assert heard(client) == b""
        assert QUICK / 2 < time.monotonic() - began < LATE


def test_a_head_that_drips_is_not_waited_for_either() -> None:
    with served(hello) as place, connected(place, b"GET / HTTP/1.1\r\n") as client:
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < LATE:
                client.sendall(b"X-A: b\r\n")
                time.sleep(0.05)
        assert time.monotonic() - began < LATE


def test_nor_the_head_of_a_second_request() -> None:
    with served(hello) as place, connected(place, GET) as client:
        assert until(client, b"hello")
        client.sendall(b"GET / HT")
        began = time.monotonic()
        assert heard(client) == b""
        assert time.monotonic() - began < LATE


def test_whoever_has_said_what_they_want_may_wait_for_the_answer_and_ask_again_later() -> None:
    with served(hello) as place, connected(place, b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        assert until(client, b"hello")
        assert stays_open(client, 3 * QUICK)
        client.sendall(GET)
        assert until(client, b"hello")


def test_the_rest_of_a_body_that_nobody_reads_is_not_taken_for_ever() -> None:
    with served(hello) as place, connected(place, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n") as client:
        assert until(client, b"hello")
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < LATE:
                client.sendall(b"x" * 10)
                time.sleep(0.05)
        assert time.monotonic() - began < LATE


def test_the_rest_of_a_body_that_comes_leaves_the_connection_usable() -> None:
    with served(hello) as place, connected(place, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n") as client:
        assert until(client, b"hello")
        client.sendall(b"x" * 1000 + GET)
        assert until(client, b"hello")


def test_an_answer_that_nobody_reads_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READ_SECONDS", QUICK)
    with served(much) as place, connected(place, GET) as client:
        time.sleep(3 * QUICK)
        assert len(heard(client)) < MUCH


def test_an_answer_that_is_read_slowly_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READ_SECONDS", 2 * QUICK)
    received = 0
    with served(much) as place, connected(place, GET) as client:
        while received < MUCH and (chunk := client.recv(MUCH // 20)):
            received += len(chunk)
            time.sleep(QUICK / 10)
    assert received >= MUCH


@pytest.mark.parametrize(
    ("limits", "raised"),
    [
        ((1024, 4096), (2256, 4096)),
        ((1024, 2000), (2000, 2000)),
        ((1024, resource.RLIM_INFINITY), (2256, resource.RLIM_INFINITY)),
        ((65536, 65536), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_files_may_be_as_many_as_connections_need(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], raised: tuple[int, int] | None
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: asked.append(wanted))
    connections.make_room(1000)
    assert asked == ([] if raised is None else [raised])


def test_the_web_server_is_started_with_the_bounds_and_writes_down_no_address(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    made: list[int] = []
    monkeypatch.setattr(connections, "make_room", made.append)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(uvicorn.Server, "run", lambda server, sockets=None: started.append(server.config))
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        run_web(settings.model_copy(update={"max_connections": 77, "max_address_connections": 88}), None)
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    (config,) = started
    assert made == [77]
    assert issubclass(config.http, connections.Bounded)
    assert (config.limit_concurrency, config.http.most_each) == (77, 88)
    assert [str(one) for one in config.http.proxies] == ["127.0.0.1/32", "::1/128"]
    assert (config.access_log, config.proxy_headers, config.server_header) == (False, False, False)
