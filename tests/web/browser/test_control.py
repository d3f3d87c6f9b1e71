"""Several paintings and regions in a browser, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.web.browser.test_form import choose_samples, zone
from tests.web.conftest import Studio

# How light a region's small picture is at a place, each from 0 to 1.
LIGHT = """async (image, [x, y]) => {
    await image.decode();
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: image.naturalWidth, height: image.naturalHeight });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(x * (canvas.width - 1), y * (canvas.height - 1), 1, 1).data[0] / 255;
}"""


def axe(page: Page) -> list[object]:
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in Axe().run(page).response["violations"]]


def test_paintings_are_added_weighed_and_removed(page: Page, studio: Studio, files: dict[str, Path]) -> None:
    page.goto("/")
    choose_samples(page)
    page.locator(".mixing > summary").click()
    second = page.locator('[data-painting="style2"]')
    expect(second).to_be_hidden()
    page.get_by_role("button", name="Add a painting").click()
    expect(second.locator(".zone-file")).to_be_focused()
    second.locator(".zone-file").set_input_files(files["painting"])
    expect(zone(page, "style2").locator(".zone-name")).to_have_text("waves.jpg")
    said = page.locator(".weight-said")
    expect(said.nth(1)).to_have_text("50 %")
    page.locator("#style2_weight").focus()
    page.keyboard.press("Home")
    expect(said.first).to_have_text("98 %")
    page.get_by_role("button", name="Add a painting").click()
    page.locator("#style3").set_input_files(files["photo"])
    expect(said.nth(2)).to_have_text("50 %")
    page.get_by_role("button", name="Remove the third painting").click()
    expect(page.get_by_role("button", name="Add a painting")).to_be_focused()
    assert axe(page) == []
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator(".job-title")).to_contain_text("and waves.jpg")
    job = page.request.get(f"/api/jobs/{page.locator('[data-job]').get_attribute('data-job')}").json()
    assert (list(job["inputs"]), job["inputs"]["style2"]["weight"]) == (["content", "style", "style2"], 1)


def test_a_region_is_painted_on_the_photograph(page: Page, studio: Studio) -> None:
    page.goto("/")
    page.locator(".regions > summary").click()
    keep = page.locator('[data-region="protect"]')
    keep.get_by_role("button", name="Paint it on the photograph").click()
    expect(page.locator("#protect-error")).to_contain_text("Choose a photograph first")
    expect(page.locator('[data-region="style2-mask"]')).to_be_hidden()
    choose_samples(page)
    keep.get_by_role("button", name="Paint it on the photograph").click()
    canvas = page.locator(".brush-canvas")
    expect(canvas).to_be_focused()
    page.get_by_label("Soft edge").fill("0")
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.25, steps=4)
    page.mouse.up()
    assert axe(page) == []
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Undo").click()
    # The brush stands where the mouse was; two steps down of half its radius each, and then one dab of the keyboard's.
    canvas.focus()
    page.get_by_label("Erase").check()
    canvas.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Use this region").click()
    shown = keep.locator(".region-picture")
    expect(shown).to_be_visible()
    assert shown.evaluate(LIGHT, [0.5, 0.25]) > 0.95
    assert shown.evaluate(LIGHT, [0.5, 0.75]) == 0
    assert shown.evaluate(LIGHT, [0.9, 0.25]) < 0.05, "erased where the brush stood"
    # Opened again, it goes on from there.
    keep.get_by_role("button", name="Paint it on the photograph").click()
    page.get_by_role("button", name="Use this region").click()
    assert shown.evaluate(LIGHT, [0.5, 0.25]) > 0.95
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")
    job_id = page.locator("[data-job]").get_attribute("data-job")
    protect = page.request.get(f"/api/jobs/{job_id}").json()["inputs"]["protect"]
    assert max(protect["width"], protect["height"]) == 1024


def test_what_was_painted_on_a_photograph_goes_with_it_and_a_file_stays(page: Page, studio: Studio, files: dict[str, Path]) -> None:
    page.goto("/")
    choose_samples(page)
    page.locator(".regions > summary").click()
    keep, place = page.locator('[data-region="protect"]'), page.locator('[data-region="style-mask"]')
    place.locator(".region-file").set_input_files(files["painting"])

    def paint() -> None:
        keep.get_by_role("button", name="Paint it on the photograph").click()
        expect(page.locator(".brush-canvas")).to_be_focused()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Use this region").click()
        expect(keep.locator(".region-picture")).to_be_visible()

    paint()
    page.locator("#content").set_input_files(files["photo"])
    expect(keep.locator(".region-note")).to_have_text("The region was painted on the photograph before, so it was removed.")
    expect(keep.locator(".region-picture")).to_be_hidden()
    assert keep.locator(".region-file").evaluate("(input) => input.files.length") == 0
    expect(place.locator(".region-picture")).to_be_visible()
    expect(place.locator(".region-note")).to_be_empty()
    paint()
    expect(keep.locator(".region-note")).to_be_empty()
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")
    # So it is when the same is made again: what was painted is known by its name.
    page.goto(f"/?from={page.locator('[data-job]').get_attribute('data-job')}")
    expect(keep.locator(".region-picture")).to_be_visible()
    page.locator("#content").set_input_files(files["painting"])
    expect(keep.locator(".region-note")).to_contain_text("so it was removed")
    assert page.locator('[name="protect_kept"]').input_value() == ""
    assert page.locator('[name="style-mask_kept"]').input_value() != ""


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_open_folds_and_the_brush_fit_and_are_clean(page: Page, width: int, theme: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto("/")
    choose_samples(page)
    for fold in ("mixing", "regions", "options"):
        page.locator(f".{fold} > summary").click()
    page.get_by_role("button", name="Add a painting").click()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator('[data-region="protect"]').get_by_role("button", name="Paint it").click()
    assert axe(page) == []
    assert page.locator("#brush").evaluate("(dialog) => dialog.scrollWidth <= dialog.clientWidth")
