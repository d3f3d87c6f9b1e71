"""The policy as a browser keeps it: what it blocks is reported to us, and counted."""

from __future__ import annotations

import time

from playwright.sync_api import Browser

from tests.web.browser.conftest import blocked
from tests.web.conftest import Studio

INJECT = """() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'taken over'";
    document.body.append(script);
}"""


def test_an_injected_script_does_not_run_and_is_counted(browser: Browser, address: str, studio: Studio) -> None:
    """By this the count that every page's test ends with, which is none, can fail."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/")
    assert blocked(studio) == 0
    page.evaluate(INJECT)
    deadline = time.monotonic() + 10
    while not blocked(studio) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert "taken over" not in page.title()
    context.close()
    assert blocked(studio) == 1
