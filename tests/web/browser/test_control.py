"""Several paintings and regions in a browser, by mouse and by keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.web.browser.test_form import choose_samples, zone
from tests.web.conftest import Studio, picture

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
    expect(page.locator("#style2_weight")).to_have_attribute("aria-valuetext", "2 %")
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


def test_a_part_of_a_painting_is_painted_on_the_painting(page: Page, studio: Studio, files: dict[str, Path]) -> None:
    page.goto("/")
    page.locator(".regions > summary").click()
    part, other = page.locator('[data-region="style-part"]'), page.locator('[data-region="style2-part"]')
    button = part.get_by_role("button", name="Paint it on the painting")
    button.click()
    expect(page.locator("#style-part-error")).to_contain_text("Choose a painting first")
    expect(other).to_be_hidden()
    page.locator("#content").set_input_files(files["photo"])
    page.locator("#style").set_input_files(files["painting"])

    def paint() -> None:
        button.click()
        expect(page.locator(".brush-canvas")).to_be_focused()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Use this region").click()
        expect(part.locator(".region-picture")).to_be_visible()

    paint()
    expect(page.get_by_role("heading", name="The part of the painting to paint like", include_hidden=True)).to_have_count(1)
    painted_on, shown = (page.locator(one).get_attribute("src") for one in (".brush-picture", '[data-zone="style"] .zone-picture'))
    assert painted_on == shown
    assert part.locator(".region-picture").evaluate(LIGHT, [0.5, 0.5]) > 0.95
    # Another photograph leaves it; another painting does not.
    page.locator("#content").set_input_files(files["painting"])
    expect(part.locator(".region-picture")).to_be_visible()
    page.locator("#style").set_input_files(files["photo"])
    expect(part.locator(".region-note")).to_have_text("The region was painted on the painting before, so it was removed.")
    expect(part.locator(".region-picture")).to_be_hidden()
    paint()
    assert axe(page) == []
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")
    job_id = page.locator("[data-job]").get_attribute("data-job")
    assert list(page.request.get(f"/api/jobs/{job_id}").json()["inputs"]) == ["content", "style", "style-part"]
    # Nothing marked is told where it is, and the second painting has its own once it is there.
    page.goto(f"/?from={job_id}")
    button.click()
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Use this region").click()
    page.get_by_role("button", name="Start painting").click()
    expect(page.locator("#style-part-error")).to_contain_text("Mark more of it in white, or remove this.")
    page.locator(".mixing > summary").click()
    page.get_by_role("button", name="Add a painting").click()
    page.locator("#style2").set_input_files(files["painting"])
    expect(other.get_by_role("button", name="Paint it on the painting")).to_be_visible()


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


def test_a_region_that_is_too_large_or_not_chosen_after_all_leaves_the_one_before(page: Page, files: dict[str, Path]) -> None:
    page.goto("/")
    choose_samples(page)
    page.locator(".regions > summary").click()
    keep = page.locator('[data-region="protect"]')
    file, shown = keep.locator(".region-file"), keep.locator(".region-picture")
    name = "(input) => input.files[0]?.name"
    file.set_input_files(files["large"])
    expect(page.locator("#protect-error")).to_contain_text("large.png is larger than 0.2 MB.")
    expect(shown).to_be_hidden()
    assert file.evaluate(name) is None
    file.set_input_files(files["photo"])
    expect(page.locator("#protect-error")).to_be_empty()
    file.set_input_files(files["large"])
    expect(page.locator("#protect-error")).to_contain_text("large.png is larger than 0.2 MB.")
    expect(shown).to_be_visible()
    assert file.evaluate(name) == "harbour.png"
    file.set_input_files([])
    expect(shown).to_be_visible()
    assert file.evaluate(name) == "harbour.png"
    # What the server says of something else does not take the message away: it never saw the file.
    file.set_input_files(files["large"])
    page.locator(".options > summary").click()
    page.locator("#size").fill("7")
    page.get_by_role("button", name="Start painting").click()
    expect(page.locator("#size-error")).to_contain_text("64")
    expect(page.locator("#protect-error")).to_contain_text("large.png is larger than 0.2 MB.")
    page.locator("#size").fill("256")
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")
    job = page.request.get(f"/api/jobs/{page.locator('[data-job]').get_attribute('data-job')}").json()
    assert job["inputs"]["protect"]["name"] == "harbour.png"


def test_a_region_that_is_kept_is_opened_as_fine_as_it_was_on_the_whole_photograph(
    page: Page, files: dict[str, Path], tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(picture(600, 400))
    stripes = np.zeros((683, 1024), np.uint8)
    stripes[:, np.arange(1024) % 8 < 4] = 255
    region = tmp_path / "stripes.png"
    Image.fromarray(stripes).save(region)
    page.goto("/")
    page.locator("#content").set_input_files(photo)
    page.locator("#style").set_input_files(files["painting"])
    page.locator("#protect").set_input_files(region)
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")
    page.goto(f"/?from={page.locator('[data-job]').get_attribute('data-job')}")
    keep = page.locator('[data-region="protect"]')
    keep.get_by_role("button", name="Paint it on the photograph").click()
    expect(page.locator(".brush-canvas")).to_be_focused()
    assert page.locator(".brush-picture").evaluate("image => image.naturalWidth") == 600
    page.get_by_role("button", name="Use this region").click()
    shown = keep.locator(".region-picture")
    expect(shown).to_have_attribute("src", re.compile("^blob:"))
    assert shown.evaluate(LIGHT, [402 / 1023, 0.5]) > 0.99
    assert shown.evaluate(LIGHT, [406 / 1023, 0.5]) < 0.01


def test_the_brush_reads_a_region_as_the_server_does(page: Page, tmp_path: Path) -> None:
    pixels = np.full((40, 60, 4), 255, np.uint8)
    pixels[:, 20:40], pixels[:, 40:, 3] = (0, 255, 0, 255), 0
    region = tmp_path / "green.png"
    Image.fromarray(pixels).save(region)
    page.goto("/")
    choose_samples(page)
    page.locator(".regions > summary").click()
    keep = page.locator('[data-region="protect"]')
    keep.locator(".region-file").set_input_files(region)
    keep.get_by_role("button", name="Paint it on the photograph").click()
    page.get_by_role("button", name="Use this region").click()
    expect(page.locator("#brush")).to_be_hidden()
    found = [keep.locator(".region-picture").evaluate(LIGHT, [x, 0.5]) for x in (0.1, 0.5, 0.9)]
    np.testing.assert_allclose(found, [1, 0.587, 0], atol=0.01)


def test_a_photograph_that_cannot_be_drawn_is_told_where_the_region_is(page: Page) -> None:
    page.goto("/")
    choose_samples(page)
    page.locator(".regions > summary").click()
    page.evaluate("() => { HTMLImageElement.prototype.decode = () => Promise.reject(new Error('away')); }")
    page.locator('[data-region="protect"]').get_by_role("button", name="Paint it on the photograph").click()
    expect(page.locator("#protect-error")).to_contain_text("The photograph cannot be shown at the moment. Try again")
    expect(page.locator("#brush")).to_be_hidden()


def test_a_stroke_ends_with_the_dialog_and_belongs_to_one_finger(page: Page) -> None:
    page.goto("/")
    choose_samples(page)
    page.locator(".regions > summary").click()
    keep = page.locator('[data-region="protect"]')
    canvas = page.locator(".brush-canvas")

    def at(x: float, y: float) -> tuple[float, float]:
        box = canvas.bounding_box()
        assert box is not None
        return box["x"] + box["width"] * x, box["y"] + box["height"] * y

    keep.get_by_role("button", name="Paint it on the photograph").click()
    page.get_by_label("Soft edge").fill("0")
    page.mouse.move(*at(0.1, 0.25))
    page.mouse.down()
    page.keyboard.press("Escape")
    expect(page.locator("#brush")).to_be_hidden()
    # Opened by the keyboard while the button is still held.
    page.keyboard.press("Enter")
    expect(canvas).to_be_focused()
    page.mouse.move(*at(0.1, 0.75))
    page.mouse.move(*at(0.9, 0.75), steps=4)
    page.mouse.up()
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    first, second = at(0.1, 0.2), at(0.9, 0.8)
    touch("touchStart", first)
    touch("touchStart", first, second)
    touch("touchMove", first, at(0.9, 0.7))
    touch("touchMove", at(0.3, 0.2), at(0.9, 0.7))
    touch("touchEnd")
    page.get_by_role("button", name="Use this region").click()
    expect(page.locator("#brush")).to_be_hidden()
    shown = keep.locator(".region-picture")
    assert shown.evaluate(LIGHT, [0.3, 0.75]) == 0, "of the stroke before"
    assert shown.evaluate(LIGHT, [0.2, 0.2]) > 0.95, "painted by the first finger"
    assert shown.evaluate(LIGHT, [0.6, 0.45]) == 0, "no line to the second"
    assert shown.evaluate(LIGHT, [0.9, 0.75]) == 0, "nor anything of its own"


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
