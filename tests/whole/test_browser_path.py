"""The main job in a real browser: choose, start, watch, compare, download."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import DROP


def choose(page: Page, files: tuple[Path, Path], *, size: int, iterations: str) -> None:
    page.locator("input[type=file][name=content]").set_input_files(files[0])
    page.locator("input[type=file][name=style]").set_input_files(files[1])
    page.locator("summary", has_text="Options").click()
    page.locator("input[name=size]").fill(str(size))
    page.locator("input[name=iterations]").fill(iterations)
    page.locator("input[name=plateau]").fill("0")


def start(page: Page) -> None:
    page.get_by_role("button", name="Start painting").click()


def percent(page: Page) -> int:
    return int(page.locator("[data-percent]").get_attribute("data-percent") or 0)


def test_a_photograph_becomes_a_painting_before_ones_eyes(page: Page, stack: str, files: tuple[Path, Path]) -> None:
    page.goto(stack)
    choose(page, files, size=192, iterations="25,25")
    start(page)
    previews: set[str] = set()
    percents: list[int] = []
    slider = page.locator("input[type=range].compare-range")
    while not slider.count():
        for source in page.locator("#picture img").evaluate_all("images => images.map(image => image.src)"):
            if "preview" in source:
                previews.add(source)
        # At once: the job may end between two questions.
        percents += page.locator("[data-percent]").evaluate_all("all => all.map(one => Number(one.dataset.percent))")
        page.wait_for_timeout(100)
    assert len(previews) >= 3
    assert percents == sorted(percents)
    assert len(set(percents)) >= 3

    expect(page.locator(".compare-after img")).to_have_js_property("complete", True)
    assert page.locator(".compare-after img").evaluate("image => [image.naturalWidth, image.naturalHeight]") == [192, 128]
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert int(slider.input_value()) == int(before) + 2
    page.keyboard.press("End")
    assert slider.input_value() == "100"

    for name, kind in (("Download PNG", "PNG"), ("Download JPEG", "JPEG")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        image = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
        image.load()
        assert (image.format, image.size) == (kind, (192, 128))


def test_on_a_narrow_screen_the_picture_comes_into_sight_and_stays(page: Page, stack: str, files: tuple[Path, Path]) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(stack)
    choose(page, files, size=128, iterations="2000")
    start(page)
    # The curves appear after the picture has been scrolled to, and must not push it away.
    page.locator("#curves polyline").first.wait_for()
    page.wait_for_timeout(1500)
    top = page.locator("#work").evaluate("work => work.getBoundingClientRect().top")
    assert 0 <= top < 100
    page.get_by_role("button", name="Cancel").click()
    page.locator("input[type=range].compare-range").wait_for()


def test_reload_and_a_second_tab_lose_nothing(context: BrowserContext, page: Page, stack: str, files: tuple[Path, Path]) -> None:
    page.goto(stack)
    choose(page, files, size=128, iterations="2000")
    start(page)
    page.locator("#picture img[src*=preview]").wait_for()
    while (seen := percent(page)) < 1:
        page.wait_for_timeout(100)
    page.reload()
    page.locator("#picture img[src*=preview]").wait_for()
    assert percent(page) >= seen
    second = context.new_page()
    second.goto(page.url)
    second.locator("#picture img[src*=preview]").wait_for()
    second.get_by_role("button", name="Stop and keep").click()
    for tab in (second, page):
        tab.locator("input[type=range].compare-range").wait_for()
        expect(tab.get_by_text("Stopped early")).to_be_visible()
    page.goto(f"{stack}/history")
    expect(page.locator("main img").first).to_be_visible()


def test_the_form_works_without_javascript(browser: Browser, stack: str, files: tuple[Path, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(stack)
    choose(page, files, size=96, iterations="4")
    start(page)
    page.wait_for_url("**/jobs/*")
    done = page.get_by_role("link", name="Download PNG")
    for _ in range(100):
        if done.count():
            break
        page.wait_for_timeout(500)
        page.goto(page.url)
    expect(done).to_be_visible()
    with page.expect_download() as download:
        done.click()
    with Image.open(download.value.path()) as image:
        assert image.size == (96, 64)
    context.close()


def test_a_finished_job_and_a_picture_alone_get_their_verdicts(page: Page, stack: str, files: tuple[Path, Path]) -> None:
    page.goto(stack)
    choose(page, files, size=192, iterations="8,8")
    start(page)
    # The network and the detector are loaded for the first verdict.
    expect(page.locator(".judgement .sum")).to_have_count(3, timeout=120_000)
    expect(page.locator("#status")).to_have_text(re.compile(r"^Verdict: (original|stylised|uncertain), [<>]? ?[\d.]+ %\.$"))
    # A photograph of a cat is none that was painted over; the printed figures add up.
    assert page.locator(".judgement.is-original").count() >= 1
    for total in page.locator(".sum").all():
        figures = [float(text.replace("−", "-")) for text in total.locator("dd").all_text_contents()]
        # Only of six digits may the last one be off.
        assert sum(figures[:3]) == pytest.approx(figures[3], abs=2e-6)
    maps = page.locator(".heat")
    expect(maps.first).to_be_visible()
    assert maps.first.locator("path").count() > 1
    page.get_by_label("Show the evidence").uncheck()
    expect(maps.first).not_to_be_visible()

    scrubber = page.get_by_role("slider", name="Picture of the run")
    scrubber.focus()
    last, picture = page.locator(".run-caption").text_content(), page.locator(".run-picture").get_attribute("src")
    page.keyboard.press("Home")
    expect(page.locator(".run-caption")).not_to_have_text(str(last))
    expect(page.locator(".run-picture")).not_to_have_attribute("src", str(picture))
    expect(page.locator(".run-picture")).to_have_js_property("naturalWidth", 192)

    page.get_by_role("link", name="Verdict", exact=True).click()
    page.evaluate(DROP, [page.locator(".zone").element_handle(), "cat.jpg", list(files[0].read_bytes())])
    page.get_by_role("button", name="Give a verdict").click()
    page.wait_for_url("**/verdicts/*")
    expect(page.locator(".decision")).to_have_text("Original")
    page.get_by_role("link", name="Verdict", exact=True).click()
    expect(page.locator(".card-title").first).to_have_text(re.compile("^Original · "))
