"""Bodies against a real server: slow ones and long ones are given up, good ones and open streams are not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import redis

from app.core.config import Settings
from app.main import create_app
from app.web import intake
from tests.serving import connected, heard, served, stays_open
from tests.web.conftest import Studio, two_pictures

Place = tuple[str, int]
LATE = 8.0
PART = b'--x\r\nContent-Disposition: form-data; name="content"; filename="a.png"\r\n\r\n'


@pytest.fixture
def place(settings: Settings, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The application, with little patience."""
    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 0.6)
    with served(create_app(settings.model_copy(update={"body_seconds": 1.0, "least_body_rate": 4000.0}))) as place:
        yield place


def head(path: str, length: int, kind: str = "multipart/form-data; boundary=x", method: str = "POST") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


@pytest.mark.parametrize("path", ["/api/jobs", "/api/lab/datasets", "/api/lab/experiments", "/login", "/csp-reports"])
def test_a_body_that_falls_silent_is_given_up_in_words(place: Place, path: str) -> None:
    kind = "application/json" if "experiments" in path else "multipart/form-data; boundary=x"
    with connected(place, head(path, 100_000, kind) + b"--x\r\n") as client:
        began = time.monotonic()
        said = heard(client)
        assert time.monotonic() - began < LATE
    assert said.startswith(b"HTTP/1.1 408 ") and b"connection: close" in said.lower()
    assert b"came so slowly that it was given up" in said


def test_a_body_that_drips_is_given_up(place: Place) -> None:
    with connected(place, head("/api/jobs", 10_000_000) + PART) as client:
        began = time.monotonic()
        while stays_open(client, 0.05) and time.monotonic() - began < LATE:
            client.sendall(b"x" * 20)
        assert 0.5 < time.monotonic() - began < LATE


def test_much_at_once_buys_no_time_for_dripping(place: Place) -> None:
    """By its average, it might take for four minutes."""
    with connected(place, head("/api/jobs", 10_000_000) + PART + b"x" * 1_000_000) as client:
        began = time.monotonic()
        while stays_open(client, 0.05) and time.monotonic() - began < LATE:
            client.sendall(b"x" * 20)
        assert 0.5 < time.monotonic() - began < LATE


def test_a_body_that_comes_steadily_is_taken(place: Place) -> None:
    part = PART + b"x" * 40_000 + b"\r\n--x--\r\n"
    with connected(place, head("/api/jobs", len(part))) as client:
        for at in range(0, len(part), 4000):
            client.sendall(part[at : at + 4000])
            time.sleep(0.1)
        assert client.recv(20).startswith(b"HTTP/1.1 422 "), "read to its end, and then found to be no picture"


def test_an_open_stream_is_not_given_up(place: Place) -> None:
    boundary = "x"
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{role}"; filename="{name}"\r\n\r\n'.encode() + data + b"\r\n"
        for role, (name, data, _) in two_pictures().items()
    )
    body += f"--{boundary}--\r\n".encode()
    with connected(place, head("/api/jobs", len(body)) + body) as client:
        answer = client.recv(65536).decode()
        while '"links"' not in answer:
            answer += client.recv(65536).decode()
    job_id = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])["id"]
    cookie = answer.split("set-cookie: ")[1].split(";")[0]
    get = f"GET /api/jobs/{job_id}/events HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode()
    with connected(place, get) as client:
        told = b""
        while b'"state"' not in told:
            told += client.recv(65536)
        time.sleep(1.5)
        with connected(place, f"POST /api/jobs/{job_id}/cancel HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode()) as other:
            assert other.recv(20).startswith(b"HTTP/1.1 202")
        while b'"cancelled"' not in told:
            chunk = client.recv(65536)
            assert chunk, "the stream was cut"
            told += chunk


def unannounced() -> Iterator[bytes]:
    for _ in range(20):
        yield b" " * 100_000


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("announced", [True, False])
def test_what_is_no_form_with_files_is_short(studio: Studio, kind: str, announced: bool) -> None:
    studio.client.get("/")
    body = b" " * 2_000_000 if announced else unannounced()
    answer = studio.client.post("/api/lab/experiments", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert "at most 1000000 bytes" in answer.json()["detail"]


def test_a_form_with_files_may_be_longer(studio: Studio) -> None:
    """It is counted by its own reader: the file is over the limit of a file, and said to be."""
    files = two_pictures()
    files["style"] = ("large.png", b"\x89PNG" + b"a" * 1_500_000, "image/png")
    answer = studio.client.post("/api/jobs", files=files)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (413, "style")


def test_a_lying_length_changes_nothing(studio: Studio) -> None:
    studio.client.get("/")
    answer = studio.client.post("/api/lab/experiments", content=unannounced(), headers={"content-length": "10"})
    assert answer.status_code == 413
