"""Headless Chromium for whichever tests need a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from app.local import browser as chromium

_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Drops a file, given as its name and bytes, where a hand would.
DROP = """([place, name, bytes]) => {
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(bytes)], name));
    place.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
}"""


# Not for the whole session: while Playwright runs it holds this thread's event loop, which other tests need.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path is not None, "no Chromium: run `make test`, which installs it or says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def watched(page: Page) -> Iterator[None]:
    """Fail where, meanwhile, a script is refused or fails, a file is lost, or anything at all is said in the console."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if not _expected(said) else None)
    yield
    assert complaints == []


def _expected(said: ConsoleMessage) -> bool:
    """Failed requests to the browser: a refused form, and a preview that was replaced before it was loaded."""
    replaced = "404" in said.text and "/pictures/preview-" in said.location["url"]
    return "422" in said.text or replaced
