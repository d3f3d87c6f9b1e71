"""A real server and a real browser. Anything the browser complains of, or asks of another server, fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import watched
from tests.serving import served
from tests.web.conftest import Studio, picture


@pytest.fixture
def studio(composed: Studio) -> Studio:
    """The application, started by the server and not by a test client: each has an event loop of its own."""
    return composed


@pytest.fixture
def address(studio: Studio) -> Iterator[str]:
    """The application behind a real server."""
    with served(studio.app) as (host, port):
        yield f"http://{host}:{port}"


def blocked(studio: Studio) -> float:
    """Return how often browsers have reported that our policy stopped something."""
    return sum(count.value for count in studio.services.tally.read() if count.name == "csp_reports")


@pytest.fixture
def page(browser: Browser, address: str, studio: Studio) -> Iterator[Page]:
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    elsewhere: list[str] = []
    page.on("request", lambda asked: None if asked.url.startswith((address, "blob:")) else elsewhere.append(asked.url))
    page.set_default_timeout(10_000)
    with watched(page):
        yield page
        # What it has to say of its end, too, is heard.
        context.close()
    assert elsewhere == []
    assert blocked(studio) == 0


@pytest.fixture
def plain_page(browser: Browser, address: str) -> Iterator[Page]:
    """A page without scripts."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A photograph, a painting, something else and something too large."""
    made = {
        "photo": ("harbour.png", picture(90, 60)),
        "painting": ("waves.jpg", picture(60, 80, (20, 60, 140), "JPEG")),
        "text": ("notes.png", b"not a picture at all"),
        "large": ("large.png", b"\x89PNG" + b"a" * 300_000),
    }
    found = {}
    for name, (file, data) in made.items():
        found[name] = tmp_path / file
        found[name].write_bytes(data)
    return found
