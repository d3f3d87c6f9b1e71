"""Forms under way and open streams: bounded for each person and in all, and a form holds one open file and little memory."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from fastapi import FastAPI

from app.core.config import Settings
from app.core.errors import TooMany, Unavailable
from app.core.ids import new_id
from app.infra.blobs import Blobs
from app.main import create_app
from app.web import received, spool
from app.web.audience import _follower
from app.web.places import Places, Share
from app.web.uploads import FormLimits
from tests.serving import connected, served
from tests.web.conftest import Studio, two_pictures
from tests.web.route_table import found
from tests.web.test_intake import PART, head
from tests.web.test_uploads import multipart, parse, part

Place = tuple[str, int]


@pytest.fixture
def app(settings: Settings, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """With four places, of which one person has two, and three for large forms, of which one has one."""
    for name, value in (("EACH", 2), ("EACH_LARGE", 1)):
        monkeypatch.setattr(received, name, value)
    return create_app(settings.model_copy(update={"max_forms": 4}))


@pytest.fixture
def place(app: FastAPI) -> Iterator[Place]:
    with served(app) as place:
        yield place


def begun(path: str, owner: str = "", forwarded: str = "") -> bytes:
    """The beginning of a form, of which more is announced."""
    more = f"Cookie: pentimento_owner={owner}\r\n" if owner else ""
    more += f"X-Forwarded-For: {forwarded}\r\n" if forwarded else ""
    return head(path, 100_000).removesuffix(b"\r\n") + more.encode() + b"\r\n" + PART


def somebody(app: FastAPI) -> str:
    signed: str = app.state.services.signer.sign(new_id())
    return signed


def answered(place: Place, sent: bytes) -> bytes:
    """Return the whole answer; the connection stays open for what is left of the body."""
    with connected(place, sent) as client:
        said = client.recv(65536)
        while len(said.partition(b"\r\n\r\n")[2]) < int(said.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            said += client.recv(65536)
        return said


def held(places: Places, count: int) -> None:
    """Wait until so many places are taken."""
    deadline = time.monotonic() + 20
    while places._count != count:
        assert time.monotonic() < deadline, f"{places._count} are taken"
        time.sleep(0.02)


def refused(place: Place, sent: bytes) -> bool:
    """Tell whether it is refused before its body is read."""
    with connected(place, sent) as client:
        client.settimeout(1)
        try:
            return client.recv(65536).startswith((b"HTTP/1.1 429 ", b"HTTP/1.1 503 "))
        except TimeoutError:
            return False


@pytest.mark.parametrize(("path", "most"), [("/api/jobs", 2), ("/jobs", 2), ("/api/lab/datasets", 1), ("/lab/hypotheses", 1)])
def test_one_person_sends_few_forms_at_once(app: FastAPI, place: Place, path: str, most: int) -> None:
    owner, other = somebody(app), somebody(app)
    places = app.state.services.forms if most == 2 else app.state.services.large_forms
    with ExitStack() as open_forms:
        for _ in range(most):
            first = open_forms.enter_context(connected(place, begun(path, owner)))
        held(places, most)
        said = answered(place, begun(path, owner))
        assert said.startswith(b"HTTP/1.1 429 ") and b"\r\nretry-after: 5\r\n" in said.lower()
        assert f"You are sending {most} forms with pictures".encode() in said
        assert not refused(place, begun(path, other, "203.0.113.9"))
        first.close()
        held(places, most - 1)
        assert not refused(place, begun(path, owner)), "a place is free again"


def test_one_address_has_half_of_all_places_whatever_cookies_it_has(app: FastAPI, place: Place) -> None:
    with ExitStack() as open_forms:
        for _ in range(2):
            open_forms.enter_context(connected(place, begun("/api/jobs", somebody(app), "203.0.113.7")))
        held(app.state.services.forms, 2)
        said = answered(place, begun("/api/jobs", somebody(app), "203.0.113.7"))
        assert said.startswith(b"HTTP/1.1 429 ") and b"from your address" in said
        assert not refused(place, begun("/api/jobs", somebody(app), "203.0.113.8"))


def test_when_all_places_are_taken_anybody_is_told_so(app: FastAPI, place: Place) -> None:
    with ExitStack() as open_forms:
        for number in range(4):
            open_forms.enter_context(connected(place, begun("/api/jobs", somebody(app), f"203.0.113.{number}")))
        held(app.state.services.forms, 4)
        said = answered(place, begun("/api/jobs", somebody(app), "203.0.113.99"))
        assert said.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: " in said.lower()
        assert b"Many people are sending pictures" in said
        assert not refused(place, begun("/api/lab/datasets", somebody(app), "203.0.113.99")), "those have places of their own"


def test_one_person_has_few_event_streams_and_pages_that_stand_without(composed: Studio) -> None:
    job_id, owner = composed.submit(), composed.client.cookies["pentimento_owner"]
    composed.services.decoders.close()
    app = create_app(composed.settings.model_copy(update={"max_streams": 2}))

    def asking(path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: pentimento_owner={owner}\r\n\r\n".encode()

    streams = (f"/api/jobs/{job_id}/events", f"/jobs/{job_id}/stream")
    with served(app) as place, ExitStack() as watching:
        for path in streams:
            first = watching.enter_context(connected(place, asking(path)))
            assert first.recv(20).startswith(b"HTTP/1.1 200 ")
        held(app.state.services.streams, 2)
        for path in streams:
            said = answered(place, asking(path))
            assert said.startswith(b"HTTP/1.1 429 ") and b"\r\nretry-after: 5\r\n" in said.lower()
            assert b"You are watching 2 things at once" in said
        assert answered(place, asking(f"/jobs/{job_id}")).startswith(b"HTTP/1.1 200 ")
        first.close()
        held(app.state.services.streams, 1)
        with connected(place, asking(streams[0])) as again:
            assert again.recv(20).startswith(b"HTTP/1.1 200 ")
        held(app.state.services.streams, 1)
        assert answered(place, asking(f"/api/jobs/{'0' * 32}/events")).startswith(b"HTTP/1.1 404 ")
        held(app.state.services.streams, 1)


def test_every_event_stream_has_a_place(studio: Studio) -> None:
    streams = {route.path for route in found(studio) if route.path.endswith(("/events", "/stream"))}
    followed = {
        route.path
        for route in found(studio)
        if any(one.call is _follower for one in getattr(getattr(route, "dependant", None), "dependencies", []))
    }
    assert len(streams) == 9 and followed == streams


def test_an_upload_that_is_broken_off_frees_its_place_and_is_no_matter_for_the_log(
    capsys: pytest.CaptureFixture[str], app: FastAPI, place: Place
) -> None:
    for path in ("/api/jobs", "/jobs"):
        with connected(place, begun(path, somebody(app))):
            held(app.state.services.forms, 1)
        held(app.state.services.forms, 0)
    time.sleep(0.2)
    assert "Traceback" not in capsys.readouterr().err


def test_a_place_is_free_after_each_kind_of_end(studio: Studio) -> None:
    studio.submit()
    for path in ("/api/jobs", "/jobs", "/api/lab/datasets", "/lab/datasets", "/api/lab/hypotheses", "/lab/hypotheses"):
        studio.client.post(path, data={"size": "no number"}, files={"content": ("a.png", b"no picture", "image/png")})
        studio.client.post(path, content=b"nonsense", headers={"content-type": "multipart/form-data; boundary=x"})
    assert studio.services.forms._count == studio.services.large_forms._count == 0
    assert not studio.services.forms._held and not studio.services.large_forms._held


def test_places_are_counted_for_each_and_in_all() -> None:
    places = Places(2, "All are taken.")
    mine, ours = Share("me", 1, "You have one."), Share("us", 5, "We have five.")
    with places.one([mine, ours]):
        with pytest.raises(TooMany, match="You have one") as caught, places.one([ours, mine]):
            pass
        assert caught.value.retry_after
        with places.one([ours]), pytest.raises(Unavailable, match="All are taken"), places.one([ours]):
            pass
        with pytest.raises(ZeroDivisionError), places.one([ours]):
            raise ZeroDivisionError
        with places.one([ours]):
            pass
    with places.one([mine]):
        pass


def test_a_form_holds_one_file_open_and_little_in_memory_however_many_files_it_brings() -> None:
    given = [(part("content", f"{number}.png"), bytes([number]) * 9000) for number in range(190)]
    before = len(list(Path("/proc/self/fd").iterdir()))
    form, _ = parse(multipart(*given), 50_000, limits=FormLimits.for_dataset(1_000_000))
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 1, "the rest lies on the disk"
    uploads = form.uploads["content"]
    assert [upload.read() for upload in uploads] == [body for _, body in given]
    assert uploads[7].file.read() == b"" and uploads[7].file.seek(-10, os.SEEK_END) == 8990
    assert uploads[7].file.read(4) == uploads[7].file.read(4) == bytes([7]) * 4
    assert uploads[7].file.read() == bytes([7]) * 2
    form.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_that_is_thrown_away_leaves_its_neighbours_as_they_are() -> None:
    limits = FormLimits.for_pictures(1000)
    form, _ = parse(
        multipart((part("a", "a"), b"a" * 900), (part("b", "b"), b"b" * 5000), (part("c", "c"), b"c" * 900)), 100, limits=limits
    )
    assert [form.files[name].read() for name in "abc"] == [b"a" * 900, b"", b"c" * 900]
    assert form.files["b"].too_large
    form.close()


def short_of_files(*_: object, **__: object) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize("path", ["/api/jobs", "/jobs"])
def test_too_many_open_files_is_503_in_words(studio: Studio, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(spool, "SpooledTemporaryFile", short_of_files)
    answer = studio.client.post(path, files=two_pictures())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "too many files open" in answer.text


def test_and_so_it_is_where_a_picture_is_read(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = studio.submit()
    monkeypatch.setattr(Blobs, "open", short_of_files)
    answer = studio.client.get(f"/api/jobs/{job_id}/pictures/content.png")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(Blobs, "open", broken)
    with pytest.raises(OSError, match="broken"):
        studio.client.get(f"/api/jobs/{job_id}/pictures/content.png")
