"""Signing in as a person does: form, refusal, the page that was asked for, and out again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from app.core.config import Settings
from app.infra.database import Database
from app.main import create_app
from tests.web.conftest import Studio

PASSWORD = "ultramarine and bone black"  # noqa: S105 - a test's


@pytest.fixture
def studio(settings: Settings, redis_client: redis.Redis, database: Database) -> Iterator[Studio]:
    """The application with a password; nothing is painted here."""
    settings = settings.model_copy(update={"password": SecretStr(PASSWORD)})
    yield Studio(create_app(settings), settings, None, None, None)  # type: ignore[arg-type]


def refused(page: Page) -> list[str]:
    """What axe finds, and whether anything is wider than a small window, in both themes."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {one['id']}" for one in Axe().run(page).response["violations"]]
        page.set_viewport_size({"width": 320, "height": 640})
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{scheme}: {wide} wide"] if wide > 320 else []
        page.set_viewport_size({"width": 1280, "height": 900})
    return found


def test_from_a_closed_page_in_and_out_again(page: Page) -> None:
    page.goto("/history")
    expect(page).to_have_url("/login?next=/history")
    expect(page.get_by_label("Password")).to_be_focused()
    assert refused(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url("/history")
    assert refused(page) == []
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url("/login")
    page.goto("/lab")
    expect(page).to_have_url("/login?next=/lab")


def test_a_part_of_an_open_page_leads_to_the_form(browser: Browser, address: str) -> None:
    """Signed out in another tab: the next press of a button does not show the form inside the page.

    The browser complains of the 401, so that this page is not a watched one.
    """
    page = browser.new_context(base_url=address).new_page()
    page.goto("/login?next=/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    # Before its scripts are there the form is sent as one without scripts would be.
    page.wait_for_load_state()
    for role in ("content", "style"):
        page.locator(f"[name={role}_sample]").first.check()
    page.context.clear_cookies(name="pentimento_pass")
    page.get_by_role("button", name="Start painting").click()
    expect(page).to_have_url("/login?next=/")
    page.context.close()
