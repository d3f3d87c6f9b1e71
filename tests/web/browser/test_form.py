from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.core.specs import PRESETS
from tests.web.conftest import Studio

Files = dict[str, Path]


def zone(page: Page, role: str) -> Locator:
    return page.locator(f'[data-zone="{role}"]')


def choose_samples(page: Page) -> None:
    for role in ("content", "style"):
        zone(page, role).locator(f"[name={role}_sample]").first.check()


def transfer(page: Page, path: Path) -> object:
    """Return a DataTransfer that holds the file, as a drag or the clipboard would."""
    return page.evaluate_handle(
        """([name, data]) => {
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type: "image/png" }));
            return transfer;
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )


def paste(page: Page, path: Path) -> None:
    page.evaluate(
        "(data) => document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))",
        transfer(page, path),
    )


def test_a_chosen_file_is_shown_and_can_be_removed(page: Page, files: Files) -> None:
    page.goto("/")
    content = zone(page, "content")
    expect(content.locator(".zone-picture")).to_be_hidden()
    page.get_by_label("Choose a photograph").set_input_files(files["photo"])
    expect(content.locator(".zone-picture")).to_be_visible()
    expect(content.locator(".zone-name")).to_have_text("harbour.png")
    assert content.locator(".zone-picture").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 90
    content.get_by_role("button", name="Remove").click()
    expect(content.locator(".zone-picture")).to_be_hidden()
    assert content.locator(".zone-file").evaluate("(input) => input.files.length") == 0
    expect(content.locator(".zone-file")).to_be_focused()


def test_a_file_can_be_dropped(page: Page, files: Files) -> None:
    page.goto("/")
    data = transfer(page, files["photo"])
    target = zone(page, "style").locator(".zone")
    target.dispatch_event("dragover", {"dataTransfer": data})
    expect(target).to_have_class("zone is-over")
    target.dispatch_event("drop", {"dataTransfer": data})
    expect(zone(page, "style").locator(".zone-name")).to_have_text("harbour.png")
    expect(target).to_have_class("zone is-filled")
    # Beside the zones a dropped file must not replace the page.
    assert page.evaluate(
        "(data) => !document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))", data
    )


def test_a_picture_can_be_pasted_into_the_first_empty_zone_or_the_focused_one(page: Page, files: Files) -> None:
    page.goto("/")
    paste(page, files["photo"])
    expect(zone(page, "content").locator(".zone-name")).to_have_text("harbour.png")
    paste(page, files["painting"])
    expect(zone(page, "style").locator(".zone-name")).to_have_text("waves.jpg")
    zone(page, "content").locator(".zone-file").focus()
    paste(page, files["painting"])
    expect(zone(page, "content").locator(".zone-name")).to_have_text("waves.jpg")


def test_a_sample_and_a_file_replace_each_other(page: Page, files: Files) -> None:
    page.goto("/")
    content = zone(page, "content")
    sample = content.locator("[name=content_sample]").first
    page.get_by_label("Choose a photograph").set_input_files(files["photo"])
    sample.check()
    expect(content.locator(".zone-name")).to_have_text(sample.get_attribute("data-title") or "")
    assert content.locator(".zone-file").evaluate("(input) => input.files.length") == 0
    page.get_by_label("Choose a photograph").set_input_files(files["photo"])
    expect(sample).not_to_be_checked()
    expect(content.locator(".zone-name")).to_have_text("harbour.png")


def test_messages_stand_at_their_fields_and_files_stay_chosen(page: Page, files: Files) -> None:
    page.goto("/")
    page.get_by_label("Choose a photograph").set_input_files(files["photo"])
    page.get_by_label("Choose a painting").set_input_files(files["text"])
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Size", exact=True).fill("9")
    page.get_by_role("button", name="Start painting").click()
    expect(page.locator("#style-error")).not_to_be_empty()
    expect(page.locator("#size-error")).to_contain_text("64")
    expect(page.locator("#content-error")).to_be_empty()
    expect(page.locator("#style")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#style")).to_be_focused()
    assert page.locator("#content").evaluate("(input) => input.files[0].name") == "harbour.png"
    assert page.locator("#style").evaluate("(input) => input.files[0].name") == "notes.png"
    page.get_by_label("Choose a painting").set_input_files(files["painting"])
    expect(page.locator("#style-error")).to_be_empty()
    page.get_by_label("Size", exact=True).fill("64")
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(page: Page, files: Files) -> None:
    page.goto("/")
    page.get_by_label("Choose a painting").set_input_files(files["large"])
    expect(page.locator("#style-error")).to_have_text("large.png is larger than 0.2 MB. Choose a smaller one, or save it as a JPEG first.")
    assert page.locator("#style").evaluate("(input) => input.files.length") == 0
    # The server, which never saw the file, has nothing better to say.
    page.get_by_role("button", name="Start painting").click()
    expect(page.locator("#content-error")).to_contain_text("Choose a photograph")
    expect(page.locator("#style-error")).to_contain_text("large.png is larger than 0.2 MB.")


def test_a_file_that_is_too_large_does_not_take_the_place_of_what_was_chosen(page: Page, files: Files) -> None:
    page.goto("/")
    content = zone(page, "content")
    sample = content.locator("[name=content_sample]").first
    sample.check()
    page.get_by_label("Choose a photograph").set_input_files(files["large"])
    expect(page.locator("#content-error")).to_contain_text("large.png is larger than 0.2 MB.")
    expect(sample).to_be_checked()
    expect(content.locator(".zone-picture")).to_be_visible()
    page.get_by_label("Choose a photograph").set_input_files(files["photo"])
    expect(page.locator("#content-error")).to_be_empty()
    page.get_by_label("Choose a photograph").set_input_files(files["large"])
    expect(content.locator(".zone-name")).to_have_text("harbour.png")
    assert page.locator("#content").evaluate("(input) => input.files[0].name") == "harbour.png"


def test_a_dialog_that_is_closed_again_changes_nothing(page: Page, files: Files) -> None:
    page.goto("/")
    page.get_by_label("Choose a photograph").set_input_files(files["photo"])
    page.locator("#content").set_input_files([])
    expect(zone(page, "content").locator(".zone-picture")).to_be_visible()
    assert page.locator("#content").evaluate("(input) => input.files[0].name") == "harbour.png"


def test_what_is_wrong_with_further_paintings_and_regions_is_shown(page: Page, files: Files) -> None:
    page.goto("/")
    choose_samples(page)
    page.locator(".mixing > summary").click()
    page.get_by_role("button", name="Add a painting").click()
    page.locator("#style2").set_input_files(files["text"])
    page.locator(".mixing > summary").click()
    page.locator("#protect").set_input_files(files["text"])
    page.locator("#style3-mask").set_input_files(files["photo"])
    page.get_by_role("button", name="Start painting").click()
    for role, words in (("style2", "picture"), ("protect", "picture"), ("style3-mask", "of a painting that is not chosen")):
        expect(page.locator(f"#{role}-error")).to_be_visible()
        expect(page.locator(f"#{role}-error")).to_contain_text(words)
        expect(page.locator(f"#{role}")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#style2")).to_be_focused()
    page.locator("#style2").set_input_files(files["painting"])
    page.locator("#protect").set_input_files(files["photo"])
    # A region whose painting is not there goes as soon as another picture is chosen.
    expect(page.locator(".error:visible")).to_have_count(0)
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")


def test_a_message_without_a_place_is_brought_into_sight(page: Page) -> None:
    said = '<div id="form-error" class="error" role="alert">Wait for one to finish.</div>'
    page.route("**/jobs", lambda route: route.fulfill(status=422, content_type="text/html", body=said))
    page.goto("/")
    choose_samples(page)
    page.get_by_role("button", name="Start painting").click()
    expect(page.locator("#form-error")).to_have_text("Wait for one to finish.")
    expect(page.locator("#form-error")).to_be_in_viewport()


def test_a_file_that_cannot_be_drawn_says_so(page: Page, files: Files) -> None:
    page.goto("/")
    blank = zone(page, "content").get_by_text("No preview")
    expect(blank).to_be_hidden()
    page.get_by_label("Choose a photograph").set_input_files(files["text"])
    expect(blank).to_be_visible()
    expect(zone(page, "content").locator(".zone-name")).to_have_text("notes.png")
    page.get_by_label("Choose a photograph").set_input_files(files["photo"])
    expect(blank).to_be_hidden()


def test_a_preset_fills_the_options_that_are_sent(page: Page, studio: Studio) -> None:
    page.goto("/")
    choose_samples(page)
    page.get_by_role("radio", name="As in the paper").check()
    page.get_by_text("Options", exact=True).click()
    expect(page.get_by_label("Optimiser")).to_have_value("adam")
    expect(page.get_by_role("textbox", name="Iterations")).to_have_value("1000")
    page.get_by_label("Seed").fill("12")
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")
    job = page.request.get(f"/api{page.url[page.url.index('/jobs') :]}").json()
    assert job["preset"] == "paper"
    assert job["params"] == {**PRESETS["paper"].params.model_dump(mode="json"), "seed": 12}


def test_what_was_changed_stays_with_another_preset_and_can_be_taken_back(page: Page) -> None:
    page.goto("/")
    choose_samples(page)
    own = page.locator(".own")
    page.get_by_text("Options", exact=True).click()
    expect(own).to_be_hidden()
    size, colours = page.get_by_label("Size", exact=True), page.get_by_label("Colours", exact=True)
    iterations = page.get_by_role("textbox", name="Iterations")
    size.fill("2048")
    colours.select_option("photograph")
    expect(own).to_contain_text("kept whichever preset you choose: Size, Colours.")
    for preset, steps in (("Fine Begins", "100, 100, 60"), ("Sketch", "20, 6")):
        page.get_by_role("radio", name=preset).check()
        expect(iterations).to_have_value(steps)
        expect(size).to_have_value("2048")
        expect(colours).to_have_value("photograph")
    own.get_by_role("button", name="Back to the preset's values").click()
    expect(size).to_have_value("512")
    expect(colours).to_have_value("painting")
    expect(iterations).to_have_value("20, 6")
    expect(own).to_be_hidden()
    expect(page.get_by_role("radio", name="Sketch")).to_be_focused()
    size.fill("64")
    page.get_by_role("radio", name="Instant One pass").check()
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")
    job = page.request.get(f"/api{page.url[page.url.index('/jobs') :]}").json()
    assert job["params"] == {**PRESETS["instant"].params.model_dump(mode="json"), "size": 64}


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for role in ("content", "style"):
        zone(page, role).locator(".zone-file").focus()
        for _ in range(3):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.type") == "radio":
                break
        page.keyboard.press("Space")
        expect(zone(page, role).locator(".zone-name")).not_to_be_empty()
    page.get_by_role("button", name="Start painting").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs/*")
    expect(page.locator("#job")).to_be_focused()
    expect(page.locator("#status")).to_have_text("Waiting in the queue, at place 1.")


def test_the_theme_is_remembered(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Dark theme").click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark
    expect(page.get_by_role("button", name="Dark theme")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_nothing_is_wider_than_the_window(page: Page, studio: Studio, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/")
    page.get_by_text("Options", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for path in ("/history", "/docs", "/history?before=1"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
