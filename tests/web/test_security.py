"""Every route, by the route table: another owner, nobody, another site's page."""

from __future__ import annotations

import re
import time

import pytest
from fastapi.testclient import TestClient

from app.core.ids import new_id
from app.web.security import OWNER_COOKIE, OwnerSigner
from tests.web.conftest import Studio, two_pictures
from tests.web.route_table import SAFE, Route, routes


def job_routes(studio: Studio) -> list[Route]:
    found = [route for route in routes(studio) if "{job_id}" in route[1]]
    assert len(found) >= 15, found
    return found


def call(client: TestClient, route: Route, job_id: str, **headers: str) -> int:
    method, path = route
    url = path.replace("{job_id}", job_id).replace("{name}", "content.png")
    return client.request(method, url, headers={name.replace("_", "-"): value for name, value in headers.items()}).status_code


def test_nobody_else_reaches_a_job(studio: Studio) -> None:
    job_id = studio.finished()
    other = studio.new_client()
    studio.submit(other)  # an owner of other jobs
    forged = studio.new_client()
    forged.cookies.set(OWNER_COOKIE, f"{new_id()}.forged")
    for route in job_routes(studio):
        for client in (studio.new_client(), other, forged):
            assert call(client, route, job_id) == 404, route
    assert studio.client.get(f"/api/jobs/{job_id}").json()["state"] == "done"


def test_the_owner_reaches_each(studio: Studio) -> None:
    """The contrary of the test above, so that it cannot pass because addresses are wrong."""
    for route in job_routes(studio):
        job_id = studio.finished()
        if route[1].endswith("/restore"):
            studio.client.delete(f"/api/jobs/{job_id}")
        # A finished job cannot be stopped or cancelled: 409 comes after the owner's check.
        assert call(studio.client, route, job_id) in (200, 202, 303, 409), route


def test_lists_show_only_one_s_own(studio: Studio) -> None:
    studio.submit()
    other = studio.new_client()
    assert other.get("/api/jobs").json()["jobs"] == []
    assert "harbour" not in other.get("/history").text
    assert other.get(f"/?from={new_id()}").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://testserver]"},
        {"origin": "http://testserver.elsewhere.example"},
    ],
)
def test_other_sites_cannot_change_anything(studio: Studio, headers: dict[str, str]) -> None:
    job_id = studio.submit()
    unsafe = [route for route in routes(studio) if route[0] not in SAFE]
    assert len(unsafe) >= 10, unsafe
    for route in unsafe:
        assert call(studio.client, route, job_id, **headers) == 403, route
    assert studio.client.get(f"/api/jobs/{job_id}").json()["state"] == "queued"
    assert len(studio.client.get("/api/jobs").json()["jobs"]) == 1


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://testserver"}])
def test_our_own_page_and_programs_can(studio: Studio, headers: dict[str, str]) -> None:
    assert studio.client.post("/api/jobs", files=two_pictures(), headers=headers).status_code == 202


def test_every_answer_carries_the_policy(studio: Studio) -> None:
    job_id = studio.finished()
    paths = [
        "/",
        "/history",
        "/docs",
        "/nothing",
        "/api/nothing",
        f"/jobs/{job_id}",
        f"/api/jobs/{job_id}/result",
        "/static/css/base.css",
        "/healthz",
    ]
    for path in paths:
        headers = studio.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy and "*" not in policy and "http" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path
        assert headers["cache-control"], path


def test_pages_have_no_inline_script_or_style(studio: Studio) -> None:
    job_id = studio.finished()
    for path in ("/", f"/jobs/{job_id}", "/history", "/docs", "/nothing"):
        page = studio.client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r'<style|\sstyle="|\son[a-z]+="', page), path
        assert not re.search(r'(src|href|action)="(https?:)?//', page), path


def test_an_unexpected_error_is_a_plain_500_with_the_policy(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(studio.services.jobs, "history", break_down)
    client = TestClient(studio.app, raise_server_exceptions=False)
    for path in ("/history", "/api/jobs"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "secret detail" not in answer.text
        assert "frame-ancestors" in answer.headers["content-security-policy"]


def test_an_address_that_is_none_breaks_nothing(studio: Studio) -> None:
    asked = (("GET", "/"), ("GET", "/docs"), ("GET", "/api/jobs"), ("POST", "/jobs/1/stop"), ("POST", "/csp-reports"))
    for header in ("origin", "referer", "host", "x-forwarded-host", "hx-current-url"):
        for broken in ("http://[", "http://a]b/", "[", "//", "http://[::1]:99999/", ""):
            for method, path in asked:
                assert studio.client.request(method, path, headers={header: broken}).status_code < 500, (header, broken, path)


def test_the_cookie_is_kept_and_renewed(studio: Studio) -> None:
    first = studio.client.get("/").cookies[OWNER_COOKIE]
    assert studio.client.get("/").cookies[OWNER_COOKIE] == first
    signer = OwnerSigner("s" * 32)
    owner = new_id()
    assert signer.read(signer.sign(owner)) == owner
    assert OwnerSigner("t" * 32).read(signer.sign(owner)) is None
    assert signer.read(None) is None and signer.read("é.x") is None and signer.read(signer.sign("not an id")) is None


def test_a_body_sent_to_an_address_that_takes_none_is_not_kept(studio: Studio) -> None:
    job_id = studio.submit()
    began = time.monotonic()
    answer = studio.client.post(f"/api/jobs/{job_id}/cancel", content=b"x" * 5_000_000)
    assert answer.json()["state"] == "cancelled"
    assert time.monotonic() - began < 30
