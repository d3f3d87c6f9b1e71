"""A shared installation: one password for all, or the name that a reverse proxy gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import SecretStr

from app.core.config import Settings
from app.main import create_app
from app.web.door import PASS_COOKIE
from app.web.gate import OPEN
from app.web.routes.page_login import local_path
from app.web.security import OWNER_COOKIE
from tests.web.conftest import Studio, two_pictures
from tests.web.route_table import filled, placeholders, routes

PASSWORD = "ultramarine and bone black"  # noqa: S105 - a test's
PROXY = "10.1.2.3"
Open = Callable[..., TestClient]


@pytest.fixture
def shared(settings: Settings, redis_client: redis.Redis) -> Iterator[Open]:
    """Start the application of the same data folder with other settings, and return a client of it."""
    running: list[TestClient] = []

    def start(address: str = "203.0.113.7", base: str = "http://testserver", **changes: object) -> TestClient:
        app = create_app(settings.model_copy(update={"password": SecretStr(PASSWORD), **changes}))
        app.state.services.rates._clock = lambda: 29_000_000 * 60.0
        client = TestClient(app, base, follow_redirects=False, client=(address, 50000))
        client.__enter__()
        running.append(client)
        return client

    yield start
    for client in running:
        client.__exit__(None, None, None)


def another(client: TestClient, address: str = "203.0.113.8", base: str = "http://testserver") -> TestClient:
    """A second visitor of the same application."""
    return TestClient(client.app, base, follow_redirects=False, client=(address, 50000))


def sign_in(client: TestClient, password: str = PASSWORD, onward: str = "/") -> int:
    return client.post("/login", data={"password": password, "next": onward}).status_code


def test_nobody_signs_in_where_there_is_no_password(studio: Studio) -> None:
    assert studio.client.get("/").status_code == 200
    assert studio.client.get("/login").status_code == studio.client.post("/login", data={"password": "x"}).status_code == 404
    assert "Sign out" not in studio.client.get("/").text


def test_signed_out_every_route_but_the_open_ones_is_closed(shared: Open) -> None:
    client = shared()
    studio = Studio(client.app, client.app.state.services.settings, client, lambda: client, None)  # type: ignore[arg-type]
    every = routes(studio)
    assert len(every) > 130
    wrong = {}
    for method, path in every:
        if path in OPEN:
            continue
        status = client.request(method, filled(path, dict.fromkeys(placeholders(path), "1"))).status_code
        if status != (401 if path.startswith("/api/") or path == "/openapi.json" else 303):
            wrong[method, path] = status
    assert wrong == {}
    assert client.get("/nothing").status_code == 303 and client.get("/static/../api/jobs").status_code in (303, 401, 404)
    for path in ("/login", "/healthz", "/metrics", "/static/css/base.css", "/static/vendor/htmx.min.js"):
        assert client.get(path).status_code == 200, path
    assert client.post("/csp-reports", json={"csp-report": {}}).status_code == 204


def test_each_kind_of_caller_is_told_in_its_own_way(shared: Open) -> None:
    client = shared()
    page = client.get("/lab/compare?first=1&second=2")
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/lab/compare%3Ffirst%3D1%26second%3D2")
    assert client.post("/jobs", files=two_pictures()).headers["location"] == "/login"
    api = client.get("/api/jobs")
    assert (api.status_code, api.headers["content-type"], api.json()["code"]) == (401, "application/problem+json", "not_signed_in")
    assert api.headers["www-authenticate"].startswith("Cookie")
    part = client.post("/jobs/1/stop", headers={"hx-request": "true", "hx-current-url": "http://testserver/jobs/1?x=2"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login?next=/jobs/1%3Fx%3D2")
    stream = client.get("/jobs/1/stream", headers={"accept": "text/event-stream"})
    assert stream.status_code == 401
    for answer in (page, api, part, stream):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("broken", ["http://[", "http://a]b/jobs/1"])
def test_an_open_page_whose_address_is_none_signs_in_to_the_first_page(shared: Open, broken: str) -> None:
    part = shared().post("/jobs/1/stop", headers={"hx-request": "true", "hx-current-url": broken})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login?next=/")


def test_the_password_opens_it_and_signing_out_closes_it(shared: Open) -> None:
    client = shared()
    form = client.get("/login?next=/history")
    assert 'type="password"' in form.text and 'name="next" value="/history"' in form.text and "Sign out" not in form.text
    signed = client.post("/login", data={"password": PASSWORD, "next": "/history"})
    assert (signed.status_code, signed.headers["location"]) == (303, "/history")
    cookie = signed.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie and PASSWORD not in cookie
    assert "Sign out" in client.get("/").text
    assert client.post("/api/jobs", files=two_pictures()).status_code == 202
    assert client.get("/login?next=/lab").headers["location"] == "/lab"
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/api/jobs").status_code == 401
    assert sign_in(client) == 303
    assert len(client.get("/api/jobs").json()["jobs"]) == 1, "pictures stay one's own"


def test_another_password_or_cookie_opens_nothing(shared: Open) -> None:
    client = shared()
    wrong = client.post("/login", data={"password": "ultramarine", "next": "/history"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    assert "That is not the password." in wrong.text and 'value="/history"' in wrong.text and "ultramarine" not in wrong.text
    assert sign_in(client, "") == 401
    for forged in ("in", "in.aaaa.bbbb", client.app.state.services.signer.sign("in")):  # type: ignore[attr-defined]
        client.cookies.set(PASS_COOKIE, forged)
        assert client.get("/api/jobs").status_code == 401


def test_a_sixth_attempt_in_a_minute_is_not_even_compared(shared: Open) -> None:
    client = shared()
    assert [sign_in(client, f"guess {number}") for number in range(5)] == [401] * 5
    refused = client.post("/login", data={"password": PASSWORD})
    assert (refused.status_code, refused.headers["retry-after"], "set-cookie" in refused.headers) == (429, "60", False)
    assert "Try again in 60 s." in refused.text
    assert sign_in(another(client)) == 303, "somebody else's address"


def test_from_however_many_addresses_attempts_have_a_limit_together(shared: Open) -> None:
    tunnel = shared("127.0.0.1")

    def attempt(number: int, given: str = "x") -> Response:
        return tunnel.post("/login", data={"password": given}, headers={"X-Forwarded-For": f"198.51.100.{number}"})

    assert {attempt(number).status_code for number in range(59)} == {401}
    signed = attempt(59, PASSWORD)
    tunnel.cookies.clear()
    refused = attempt(60, PASSWORD)
    assert (signed.status_code, refused.status_code, refused.headers["retry-after"]) == (303, 429, "60")
    assert "set-cookie" not in refused.headers and "Try again in 60 s." in refused.text
    assert tunnel.get("/api/jobs", headers={"cookie": signed.headers["set-cookie"]}).status_code == 200, "who is in stays in"


def test_whom_the_limit_of_an_address_refuses_takes_nobody_else_s_attempt(shared: Open) -> None:
    client = shared()
    assert [sign_in(client, "x") for _ in range(70)] == [401] * 5 + [429] * 65
    assert sign_in(another(client)) == 303


def test_a_new_password_signs_everybody_out(shared: Open) -> None:
    client = shared()
    assert sign_in(client) == 303
    same, changed = shared(), shared(password=SecretStr("caput mortuum violet"))
    for other, status in ((same, 200), (changed, 401)):
        other.cookies.set(PASS_COOKIE, client.cookies[PASS_COOKIE])
        assert other.get("/api/jobs").status_code == status


@pytest.mark.parametrize(
    ("address", "base", "told", "forced", "secure"),
    [
        ("203.0.113.7", "https://testserver", {}, False, True),
        ("203.0.113.7", "http://testserver", {}, False, False),
        (PROXY, "http://testserver", {"X-Forwarded-Proto": "https"}, False, True),
        (PROXY, "http://testserver", {"X-Forwarded-Proto": "http"}, False, False),
        ("203.0.113.7", "http://testserver", {"X-Forwarded-Proto": "https"}, False, False),
        ("203.0.113.7", "https://testserver", {"X-Forwarded-Proto": "http"}, False, True),
        ("203.0.113.7", "http://testserver", {}, True, True),
        (PROXY, "http://testserver", {"X-Forwarded-Proto": "http"}, True, True),
    ],
)
def test_every_cookie_is_secure_where_tls_is_known_of(
    shared: Open, address: str, base: str, told: dict[str, str], forced: bool, secure: bool
) -> None:
    client = shared(address, base, proxy_addresses=PROXY, secure_cookies=forced)
    signed = client.post("/login", data={"password": PASSWORD}, headers=told)
    # A browser sends a Secure cookie back over TLS only, which the test's client takes for missing behind a proxy.
    passed = {**told, "cookie": signed.headers["set-cookie"].partition(";")[0]}
    seen, left = client.get("/", headers=passed), client.post("/logout", headers=passed)
    for answer, name in ((signed, PASS_COOKIE), (seen, OWNER_COOKIE), (left, PASS_COOKIE)):
        (cookie,) = answer.headers.get_list("set-cookie")
        assert cookie.startswith(f"{name}=") and ("Secure" in cookie) == secure, cookie


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/history?before=1", "/history?before=1"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("/\t/elsewhere.example", "/"),
        ("\\\\elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_led_elsewhere(asked: str, given: str) -> None:
    assert local_path(asked) == given


def test_what_follows_signing_in_is_never_elsewhere(shared: Open) -> None:
    client = shared()
    assert client.post("/login", data={"password": PASSWORD, "next": "//elsewhere.example"}).headers["location"] == "/"
    assert client.get("/login?next=//elsewhere.example").headers["location"] == "/"


def test_another_site_cannot_sign_anybody_in_or_out(shared: Open) -> None:
    client = shared()
    sign_in(client)
    for path in ("/login", "/logout"):
        assert client.post(path, data={"password": PASSWORD}, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_whom_a_believed_proxy_names_has_the_same_pictures_everywhere(shared: Open) -> None:
    first = shared(PROXY, password=None, proxy_header="Remote-User", proxy_addresses=f"127.0.0.1,{PROXY}")
    made = first.post("/api/jobs", files=two_pictures(), headers={"Remote-User": "amelie"}).json()["id"]
    page = first.get("/", headers={"Remote-User": "amelie"})
    assert (page.status_code, "set-cookie" in page.headers, "Sign out" in page.text) == (200, False, False)
    second = another(first, PROXY)
    assert second.get(f"/api/jobs/{made}", headers={"remote-user": " amelie "}).status_code == 200
    assert second.get(f"/api/jobs/{made}", headers={"Remote-User": "Amelie"}).status_code == 404
    # The name counts, whatever cookie the browser has.
    second.cookies.set(OWNER_COOKIE, first.app.state.services.signer.sign("a" * 32))  # type: ignore[attr-defined]
    assert second.get(f"/api/jobs/{made}", headers={"Remote-User": "amelie"}).status_code == 200
    assert "amelie" not in str(first.app.state.services.jobs.history("a" * 32))  # type: ignore[attr-defined]


def test_a_name_from_anywhere_else_is_nobody_s(shared: Open) -> None:
    proxied = shared(PROXY, password=None, proxy_header="Remote-User", proxy_addresses=PROXY)
    made = proxied.post("/api/jobs", files=two_pictures(), headers={"Remote-User": "ada"}).json()["id"]
    stranger = another(proxied, "203.0.113.9")
    spoofed = {"Remote-User": "ada"}
    for headers in (spoofed, {**spoofed, "X-Forwarded-For": PROXY}, {**spoofed, "X-Forwarded-For": f"{PROXY}, {PROXY}"}):
        assert stranger.get(f"/api/jobs/{made}", headers=headers).status_code == 401
    page = stranger.get("/", headers=spoofed)
    assert (page.status_code, "location" in page.headers) == (401, False), "there is no form to sign in with"
    for nobody in ({}, {"Remote-User": ""}, {"Remote-User": "  "}):
        assert proxied.get("/api/jobs", headers=nobody).status_code == 401
    twice = proxied.get("/api/jobs", headers=[("Remote-User", "ada"), ("remote-user", "eve")])  # type: ignore[arg-type]
    assert twice.status_code == 401, "a proxy that lets a visitor's own header through"
    # Behind the proxy the visitor's own address is told, and the name is believed all the same.
    assert proxied.get(f"/api/jobs/{made}", headers={**spoofed, "X-Forwarded-For": "198.51.100.4"}).status_code == 200


def test_attempts_are_counted_by_the_visitor_s_address_that_a_believed_proxy_tells(shared: Open) -> None:
    proxied = shared(PROXY, proxy_addresses=PROXY)

    def attempt(client: TestClient, told: str) -> int:
        return client.post("/login", data={"password": "x"}, headers={"X-Forwarded-For": told}).status_code

    assert [attempt(proxied, "198.51.100.4") for _ in range(6)] == [401] * 5 + [429]
    assert attempt(proxied, "198.51.100.5") == 401
    stranger = another(proxied, "203.0.113.9")
    assert [attempt(stranger, f"198.51.100.{number}") for number in range(6)] == [401] * 5 + [429], "of others it is not believed"
