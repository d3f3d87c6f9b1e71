"""Large answers: whoever reads steadily gets them whole, whoever does not read loses them, and together they have a bound."""

from __future__ import annotations

import asyncio
import io
import time
from contextlib import nullcontext
from typing import Any

import psutil
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.infra.blobs import Blobs
from app.local import connections
from app.web import outgoing
from app.web.outgoing import PIECE, Outgoing
from tests.imaging.made import noisy
from tests.serving import connected, heard, served
from tests.web.conftest import Studio

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
MUCH, QUICK = 20_000_000, 0.5


async def much(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with one body, as a picture is sent, that is more than the system holds for a client that does not read."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(MUCH).encode())]})
    await send({"type": "http.response.body", "body": bytes(range(250)) * (MUCH // 250)})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READ_SECONDS", QUICK)


@pytest.mark.usefixtures("impatient")
def test_a_body_that_is_read_slowly_but_steadily_comes_whole() -> None:
    began, received = time.monotonic(), bytearray()
    with served(Outgoing(much)) as place, connected(place, GET) as client:
        while b"\r\n\r\n" not in received or len(received) - received.index(b"\r\n\r\n") - 4 < MUCH:
            chunk = client.recv(MUCH // 40)
            assert chunk, f"cut off after {len(received)} bytes"
            received += chunk
            time.sleep(QUICK / 10)
    assert time.monotonic() - began > 2 * QUICK
    head, _, body = received.partition(b"\r\n\r\n")
    assert f"content-length: {MUCH}".encode() in head.lower()
    assert body == bytes(range(250)) * (MUCH // 250)


@pytest.mark.usefixtures("impatient")
def test_a_body_that_nobody_reads_is_not_kept() -> None:
    with served(Outgoing(much)) as place, connected(place, GET) as client:
        time.sleep(4 * QUICK)
        assert len(heard(client)) < MUCH


def test_a_picture_is_sent_in_pieces(studio: Studio) -> None:
    """By the application itself, whose routes make whole pictures."""
    job_id = studio.finished()
    whole = studio.client.get(f"/api/jobs/{job_id}/result?format=tiff").content
    sizes: list[int] = []

    async def small(message: Message) -> None:
        sizes.append(len(message.get("body", b"")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outgoing, "PIECE", 1000)
        asyncio.run(
            ask(studio, f"/api/jobs/{job_id}/result", small, query=b"format=tiff", cookie=studio.client.cookies["pentimento_owner"])
        )
    assert sum(sizes) == len(whole) and len(sizes) > len(whole) // 1000
    assert max(sizes) == 1000


@pytest.mark.parametrize("kind", ["jobs", "verdicts"])
def test_a_stored_picture_is_read_while_it_is_sent(studio: Studio, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    data = noisy(300, 200)
    files = dict.fromkeys(("picture", "content", "style"), ("a.png", data, "image/png"))
    made = studio.client.post(f"/api/{kind}", files=files).json()["id"]
    name = "content.png" if kind == "jobs" else "picture.png"
    whole = studio.services.blobs.get(f"jobs/{made}/{name}")
    monkeypatch.setattr(Blobs, "get", lambda *_: pytest.fail("it was read as a whole"))
    answer = studio.client.get(f"/api/{kind}/{made}/pictures/{name}")
    assert (answer.content, answer.headers["content-length"], answer.headers["content-type"]) == (whole, str(len(whole)), "image/png")
    assert len(whole) > PIECE
    head = studio.client.head(f"/api/{kind}/{made}/pictures/{name}")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(whole)))
    assert "immutable" in head.headers["cache-control"] and head.headers["content-type"] == "image/png"
    reads: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reads.append(-1 if size is None else size)
            return super().read(size)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "open", lambda *_: nullcontext(Watched(whole)))
        studio.client.head(f"/api/{kind}/{made}/pictures/{name}")
        assert reads == []
        assert studio.client.get(f"/api/{kind}/{made}/pictures/{name}").content == whole
        assert set(reads) == {PIECE}
    assert not [file for file in psutil.Process().open_files() if made in file.path]
    # What is not in memory does not count.
    monkeypatch.setattr(outgoing, "MOST_BYTES", 1)
    assert studio.client.get(f"/api/{kind}/{made}/pictures/{name}").status_code == 200
    assert studio.client.get(f"/api/{kind}/{made}/pictures/none.png").status_code == 404


async def ask(studio: Studio, path: str, send: Send, *, app: Any = None, query: bytes = b"", cookie: str = "") -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"host", b"testserver"), (b"cookie", f"pentimento_owner={cookie}".encode())]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "app": studio.app,
    }
    await (app or studio.app)(scope, receive, send)


def test_what_large_answers_hold_together_has_a_bound(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MOST_BYTES", MUCH + MUCH // 2)
    app = Outgoing(much)

    async def three() -> tuple[list[Message], list[Message]]:
        read = asyncio.Event()
        refused: list[Message] = []
        taken: list[Message] = []

        async def unread(message: Message) -> None:
            if message["type"] == "http.response.body":
                await read.wait()

        async def keep(message: Message) -> None:
            refused.append(message)

        async def keep_too(message: Message) -> None:
            taken.append(message)

        first = asyncio.create_task(ask(studio, "/api/picture", unread, app=app))
        await asyncio.sleep(0)
        await ask(studio, "/api/picture", keep, app=app)
        read.set()
        await first
        await ask(studio, "/api/picture", keep_too, app=app)
        return refused, taken

    refused, taken = asyncio.run(three())
    assert refused[0]["status"] == 503
    assert dict(refused[0]["headers"])[b"retry-after"] == b"10"
    assert b"large pictures are being downloaded" in refused[1]["body"] and len(refused) == 2
    assert taken[0]["status"] == 200 and sum(len(one.get("body", b"")) for one in taken) == MUCH
    assert max(len(one.get("body", b"")) for one in taken) == PIECE
