"""Finishing in a browser: the picture follows the hand, and so do the downloads."""

from __future__ import annotations

import io

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.web.browser.test_job import painting, start
from tests.web.conftest import Studio

SHOWN = """(image) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""


def test_strength_and_colours_are_shown_at_once_and_downloaded(page: Page, studio: Studio) -> None:
    start(page)
    with painting(studio):
        pass
    picture = page.locator(".compare-after img")
    strength = page.get_by_role("slider", name="Strength")
    expect(page.locator(".finish-said")).to_have_text("100 %")
    expect(strength).to_have_attribute("aria-valuetext", "100 %")
    painted = picture.evaluate(SHOWN)
    strength.focus()
    page.keyboard.press("Home")
    expect(page.locator(".finish-said")).to_have_text("0 %")
    expect(strength).to_have_attribute("aria-valuetext", "0 %")
    page.wait_for_function("() => document.querySelector('.compare-after img').src.includes('strength=0&')")
    photograph = page.locator(".compare-before img").evaluate(SHOWN)
    np.testing.assert_allclose(picture.evaluate(SHOWN), photograph, atol=6)
    assert np.abs(np.subtract(painted, photograph)).max() > 20
    with page.expect_download() as download:
        page.get_by_role("link", name="16-bit PNG").click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as image:
        np.testing.assert_allclose(np.asarray(image.convert("RGB").resize((1, 1), Image.Resampling.BOX))[0, 0], photograph, atol=6)
    page.keyboard.press("End")
    page.get_by_label("Colours", exact=True).last.select_option("photograph")
    page.wait_for_function("() => document.querySelector('.compare-after img').src.includes('colours=photograph')")
    assert "colours=photograph&format=png" in str(page.get_by_role("link", name="Download PNG").get_attribute("href"))
    found = Axe().run(page).response["violations"]
    assert found == [], [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def test_a_look_that_fails_says_so_and_the_next_move_tries_again(page: Page, studio: Studio) -> None:
    start(page)
    with painting(studio):
        pass
    strength, wrong = page.get_by_role("slider", name="Strength"), page.locator(".finish-wrong")
    expect(page.locator(".finish-said")).to_have_text("100 %")
    expect(wrong).to_be_hidden()
    page.route("**/finished?*strength=0&*", lambda route: route.fulfill(content_type="image/jpeg", body="busy"))
    strength.focus()
    page.keyboard.press("Home")
    expect(wrong).to_contain_text("The picture does not show this yet")
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.compare-after img').src.includes('strength=0.05&')")
    expect(wrong).to_be_hidden()
