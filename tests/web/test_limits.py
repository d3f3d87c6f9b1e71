"""What one person, or newcomers from one address, may send: refused before a body is read, in words and with a time."""

from __future__ import annotations

import pytest
import redis
from fastapi.testclient import TestClient
from httpx2 import Response

from app.infra.rates import Rates
from app.web import received
from app.web.door import Door
from tests.web.conftest import Studio, picture, two_pictures
from tests.web.route_table import found

UPLOADS = ("/api/jobs", "/jobs", "/api/verdicts", "/verdicts", "/api/lab/datasets", "/lab/datasets", "/lab/hypotheses", "/lab/experiments")


@pytest.fixture
def few(studio: Studio) -> Studio:
    """Three uploads a minute, whose minute does not end during the test."""
    return limited(studio, uploads_per_minute=3)


def limited(studio: Studio, **changes: object) -> Studio:
    services = studio.services
    object.__setattr__(services, "settings", services.settings.model_copy(update=changes))
    object.__setattr__(services, "rates", Rates(services.client, "5f1c9a0be47d23806b1fd5ea92c47013", lambda: 29_000_000 * 60.0))
    return studio


def send(client: TestClient, path: str = "/api/jobs", **headers: str) -> int:
    return client.post(path, files=two_pictures(), headers=headers).status_code


def at(studio: Studio, address: str) -> TestClient:
    """A newcomer who comes from there."""
    return TestClient(studio.app, follow_redirects=False, client=(address, 50000))


def test_newcomers_of_one_address_have_a_limit_together(few: Studio) -> None:
    assert [send(at(few, "203.0.113.7")) for _ in range(4)] == [202, 202, 202, 429]
    assert send(at(few, "203.0.113.8")) == 202
    assert [send(at(few, f"2001:db8::{number}")) for number in range(4)] == [202, 202, 202, 429]


def test_an_owner_has_a_limit_wherever_they_are(few: Studio) -> None:
    client = at(few, "203.0.113.7")
    client.get("/")
    assert [send(client) for _ in range(3)] == [202, 202, 202]
    elsewhere = at(few, "198.51.100.1")
    elsewhere.cookies = client.cookies
    assert send(elsewhere) == 429
    another = at(few, "203.0.113.7")
    another.get("/")
    assert send(another) == 202


def test_many_new_cookies_of_one_address_do_not_get_around_it(few: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "SHARING", 2)
    answers = []
    for _ in range(8):
        client = at(few, "203.0.113.7")
        client.get("/")
        answers.append(send(client))
    assert answers == [202] * 6 + [429] * 2


@pytest.mark.parametrize("form", ["jobs", "verdicts"])
def test_many_new_cookies_of_one_address_fill_no_more_than_half_of_the_queue(studio: Studio, form: str) -> None:
    limited(studio, max_queue=8, max_active_jobs=2, max_active_verdicts=2)
    sent = {"picture": ("a.png", picture(), "image/png"), **two_pictures()}

    def ask(address: str, path: str = f"/api/{form}") -> Response:
        return at(studio, address).post(path, files=sent)

    assert [ask("203.0.113.7", path).status_code for path in (f"/api/{form}", f"/{form}") * 2] == [202, 303] * 2
    refused, page = ask("203.0.113.7"), ask("203.0.113.7", f"/{form}")
    assert (refused.status_code, page.status_code, refused.headers["retry-after"]) == (429, 429, "30")
    assert refused.json()["detail"].startswith("Many pictures from your address are waiting already.")
    assert ask("203.0.113.8").status_code == 202
    if form == "jobs":
        studio.work()
        assert ask("203.0.113.7").status_code == 202


def test_whom_a_proxy_names_is_counted_alone(studio: Studio) -> None:
    """A name cannot be had for nothing."""
    limited(studio, max_queue=2, max_active_jobs=1)
    object.__setattr__(studio.services, "door", Door(studio.settings.model_copy(update={"proxy_header": "Remote-User"}), "s" * 32))
    proxy = at(studio, "127.0.0.1")
    assert [send(proxy, **{"Remote-User": name}) for name in ("ada", "eve")] == [202, 202]


def test_programs_and_people_are_told_in_words_and_when_to_come_back(few: Studio) -> None:
    client = few.client
    client.get("/")
    for _ in range(3):
        send(client)
    api = client.post("/api/jobs", files=two_pictures())
    assert (api.status_code, api.headers["retry-after"], api.headers["content-type"]) == (429, "60", "application/problem+json")
    assert api.json()["detail"] == "At most 3 uploads are taken in a minute. Try again in 60 s."
    part = client.post("/jobs", files=two_pictures(), headers={"hx-request": "true"})
    assert (part.status_code, part.headers["retry-after"], part.headers["hx-retarget"]) == (429, "60", "#notice")
    assert "<html" not in part.text and "Try again in 60 s." in part.text
    page = client.post("/jobs", files=two_pictures())
    assert (page.status_code, page.headers["retry-after"]) == (429, "60")
    assert "<html" in page.text and "Try again in 60 s." in page.text


@pytest.mark.parametrize("path", UPLOADS)
def test_one_too_many_is_not_even_read(few: Studio, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    few.client.get("/")
    for _ in range(3):
        assert send(few.client, path) != 429

    async def read(*_: object) -> None:
        raise AssertionError("the form was read")

    monkeypatch.setattr(received, "read_form", read)
    assert send(few.client, path) == 429


def test_without_a_broker_it_is_counted_here(few: Studio) -> None:
    away = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1)
    object.__setattr__(few.services, "rates", Rates(away, "5f1c9a0be47d23806b1fd5ea92c47013"))
    few.client.get("/")
    assert [send(few.client) for _ in range(4)][:3] == [202, 202, 202]
    assert 429 in [send(few.client) for _ in range(4)]
    away.close()


def test_nothing_is_counted_where_any_number_is_allowed(studio: Studio) -> None:
    limited(studio, uploads_per_minute=0)
    studio.submit()
    assert studio.services.client.keys("pentimento:rate:*") == []


def test_every_form_of_the_application_is_counted(studio: Studio) -> None:
    """Each route that is sent pictures reads its form by way of `received`."""
    reading = set()
    for route in found(studio):
        calls = [one.call for one in getattr(getattr(route, "dependant", None), "dependencies", [])]
        if any(getattr(call, "__module__", "") == received.__name__ for call in calls):
            reading.add(route.path)
    assert reading == {*UPLOADS, "/api/lab/hypotheses"}


@pytest.mark.parametrize(
    ("change", "path", "status"),
    [
        ({"max_active_jobs": 0}, "/api/jobs", 429),
        ({"max_queue": 0}, "/api/jobs", 429),
        ({"min_free_mb": 1e12}, "/api/jobs", 507),
        ({"max_active_verdicts": 0}, "/api/verdicts", 429),
        ({"min_free_mb": 1e12}, "/api/lab/datasets", 507),
        ({"max_lab_pictures": 0}, "/api/lab/datasets", 429),
        ({"max_experiments": 0}, "/api/lab/hypotheses", 429),
    ],
)
def test_where_there_is_no_room_a_program_s_body_is_not_read(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, change: dict[str, float], path: str, status: int
) -> None:
    async def read(*_: object) -> None:
        raise AssertionError("the form was read")

    studio.client.get("/")
    for service in (studio.services.jobs, studio.services.verdicts, studio.services.datasets, studio.services.hypotheses):
        object.__setattr__(service, "_settings", studio.settings.model_copy(update=change))
    monkeypatch.setattr(received, "read_form", read)
    answer = studio.client.post(path, files={"content": ("a.png", picture(), "image/png")})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert ("retry-after" in answer.headers) == (status == 429)


def test_a_page_keeps_what_was_entered_when_there_is_no_room(studio: Studio) -> None:
    object.__setattr__(studio.services.jobs, "_settings", studio.settings.model_copy(update={"max_active_jobs": 0}))
    sample = studio.services.samples.of("content")[0].name
    answer = studio.client.post("/jobs", data={"content_sample": sample, "iterations": "77"})
    assert answer.status_code == 429
    assert 'value="77"' in answer.text and "0 pictures waiting, paused or being painted" in answer.text


def test_a_newcomer_s_study_is_refused_before_it_is_read(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(*_: object) -> None:
        raise AssertionError("the form was read")

    monkeypatch.setattr(received, "read_form", read)
    assert studio.client.post("/api/lab/hypotheses", files=two_pictures()).status_code == 404
