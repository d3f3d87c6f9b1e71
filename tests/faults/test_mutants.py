"""Thousands of damaged pictures and bombs sent to the application as it runs: each is taken, or refused in words and in time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import httpx
import pytest
import redis
from fastapi import FastAPI

from app.core.config import Settings
from app.main import create_app
from tests.imaging.bombs import BOMBS
from tests.imaging.made import noisy
from tests.imaging.mutants import mutants

_MUTANTS = 2000
# As many as there are decoders on the smallest machine, so that none is told to come back later.
_AT_ONCE = 2
_SECONDS = 5.0
# Beside opening the picture: starting another decoder, storing, a busy machine.
_MARGIN = 3.0


@dataclass(frozen=True)
class Answer:
    """What came back for one file."""

    name: str
    status: int
    seconds: float
    detail: str


@pytest.fixture
def app(settings: Settings, redis_client: redis.Redis) -> FastAPI:
    """The application with its real decoders, for a visitor who may send as much as they like."""
    free = {"max_active_verdicts": 10_000, "max_queue": 10_000, "uploads_per_minute": 0, "decode_seconds": _SECONDS}
    return create_app(settings.model_copy(update=free))


def send(app: FastAPI, files: Iterable[tuple[str, bytes]]) -> list[Answer]:
    """Ask for a verdict on each file."""
    return asyncio.run(_send(app, iter(files)))


async def _send(app: FastAPI, files: Iterable[tuple[str, bytes]]) -> list[Answer]:
    answers: list[Answer] = []
    # What a server would turn into a bare 500 comes back as one, and is counted.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def visitor(client: httpx.AsyncClient) -> None:
        for name, data in files:
            began = time.monotonic()
            answer = await client.post("/api/verdicts", files={"picture": (name, data, "image/png")}, timeout=None)
            detail = answer.json().get("detail", "") if answer.headers["content-type"].endswith("json") else answer.text
            answers.append(Answer(name, answer.status_code, time.monotonic() - began, detail))

    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        # The first answer brings the cookie, so that both go on as one person.
        assert (await client.post("/api/verdicts", files={"picture": ("whole.png", noisy(), "image/png")})).status_code == 202
        await asyncio.gather(*(visitor(client) for _ in range(_AT_ONCE)))
    return answers


def wrong(answers: Iterable[Answer]) -> list[Answer]:
    """Return the answers that nobody should get."""
    return [answer for answer in answers if (not _taken(answer) and not _refused_in_words(answer)) or answer.seconds > _SECONDS + _MARGIN]


def _taken(answer: Answer) -> bool:
    return answer.status == 202


def _refused_in_words(answer: Answer) -> bool:
    said = answer.detail.startswith("This ") and answer.detail.endswith(".")
    return answer.status in (413, 422) and said and not any(word in answer.detail for word in ("Error", "Traceback", "errno", "<"))


def test_two_thousand_damaged_pictures(app: FastAPI) -> None:
    answers = send(app, ((f"mutant-{number}.png", data) for number, data in enumerate(mutants(_MUTANTS, seed=2))))
    assert len(answers) == _MUTANTS
    assert wrong(answers) == []
    outcomes = Counter(answer.status for answer in answers)
    # Neither all harmless nor all beyond reading: both ways were gone often.
    assert outcomes[202] > _MUTANTS // 10
    assert outcomes[422] > _MUTANTS // 4


def test_bombs(app: FastAPI) -> None:
    answers = send(app, [(name, make()) for name, make in BOMBS.items()])
    assert sorted(answer.name for answer in answers) == sorted(BOMBS)
    assert wrong(answers) == []
    said = {answer.name: answer for answer in answers}
    for name in ("PNG of lying size", "JPEG of lying size", "WebP of lying size", "TIFF of lying size"):
        assert said[name].status == 413, said[name]
    for name in ("zTXt", "iTXt", "iCCP", "many texts"):
        assert "hidden text" in said[name].detail, said[name]
    assert "1005 scans" in said["JPEG of many scans"].detail, said["JPEG of many scans"]
    # Many frames and pages are no harm: the first is shown.
    for name in ("PNG of many frames", "WebP of many frames", "TIFF of many pages", "TIFF directory without end"):
        assert said[name].status == 202, said[name]


def test_while_every_decoder_is_busy_a_visitor_is_soon_told_when_to_come_back(app: FastAPI) -> None:
    async def ask() -> tuple[httpx.Response, float, httpx.Response]:
        pool = app.state.services.decoders
        picture = {"picture": ("whole.png", noisy(), "image/png")}
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            busy = [pool._idle.get() for _ in range(pool._idle.qsize())]
            began = time.monotonic()
            refused = await client.post("/api/verdicts", files=picture, timeout=None)
            seconds = time.monotonic() - began
            for decoder in busy:
                pool._idle.put(decoder)
            return refused, seconds, await client.post("/api/verdicts", files=picture, timeout=None)

    refused, seconds, taken = asyncio.run(ask())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
    assert refused.json()["detail"].endswith("Try again in a few seconds.")
    assert seconds < 1 + _MARGIN
    assert taken.status_code == 202


@pytest.mark.parametrize(
    "answer",
    [
        Answer("one", 500, 0.1, "Something went wrong on our side."),
        Answer("one", 503, 0.1, "Too many pictures are being opened at the moment."),
        Answer("one", 422, 0.1, "UnidentifiedImageError: cannot identify"),
        Answer("one", 422, 0.1, ""),
        Answer("one", 202, 9.0, ""),
    ],
)
def test_a_wrong_answer_is_seen(answer: Answer) -> None:
    assert wrong([answer, Answer("two", 202, 0.1, ""), Answer("three", 422, 0.1, "This picture is too small.")]) == [answer]
