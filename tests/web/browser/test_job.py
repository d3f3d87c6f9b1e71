"""A job as a person sees it. The test plays the engine, step by step; everything else is real."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
import tifffile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from app.core.commission import Commission
from app.core.errors import EngineError
from app.core.progress import Losses, OnProgress, Progress, StopRequested
from tests.web.conftest import FACTS, Studio
from workers.runtime.stylizing import Outcome


class Engine:
    """Goes on to the next step when the test says so."""

    steps = 8

    def __init__(self) -> None:
        self._gate = threading.Semaphore(0)
        self._fault: Exception | None = None

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self._gate.release()

    def fail(self, message: str) -> None:
        self._fault = EngineError(message)
        self.step()

    def __call__(self, commission: Commission, on_progress: OnProgress) -> Outcome:
        height, width = commission.content.shape[:2]
        picture = np.zeros((height, width, 3), np.uint8)
        with suppress(StopRequested):
            for step in range(1, self.steps + 1):
                while not self._gate.acquire(timeout=0.1):
                    on_progress(self._progress(step - 1, None))
                if self._fault:
                    raise self._fault
                picture = np.full((height, width, 3), 20 * step, np.uint8)
                on_progress(self._progress(step, picture))
        return Outcome(picture, FACTS)

    def _progress(self, step: int, picture: np.ndarray | None) -> Progress:
        losses = Losses(1 + 1 / (step + 1), 8 / (step + 1), 0.0, 3.0) if step else None
        return Progress("refine", 512, step, self.steps, step / self.steps, losses, step / 2, 4 - step / 2 if step > 1 else None, picture)


@contextmanager
def painting(studio: Studio) -> Iterator[Engine]:
    engine = Engine()
    worker = threading.Thread(target=studio.work, args=(engine,), daemon=True)
    worker.start()
    try:
        yield engine
    finally:
        engine.step(engine.steps)
        worker.join(timeout=20)
    assert not worker.is_alive()


def start(page: Page) -> None:
    page.goto("/")
    for role in ("content", "style"):
        page.locator(f"[name={role}_sample]").first.check()
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")


def place(page: Page) -> list[float]:
    """Return where the picture stands within its job, and how large it is."""
    where: list[float] = page.evaluate("""() => {
        const [job, image] = ["#job", "#picture img"].map((part) => document.querySelector(part).getBoundingClientRect());
        return [image.left - job.left, image.top - job.top, image.width, image.height];
    }""")
    return where


def test_watching_a_job_until_it_is_done(page: Page, studio: Studio) -> None:
    start(page)
    expect(page.locator(".times div").filter(has_text="Place in the queue").locator("dd")).to_have_text("1")
    box = place(page)
    with painting(studio) as engine:
        expect(page.get_by_role("button", name="Stop and keep")).to_be_visible()
        expect(page.locator(".times")).to_contain_text("estimating…")
        shown = set()
        for step in range(1, engine.steps):
            engine.step()
            percent = int(step / engine.steps * 100)
            expect(page.locator("#figures .percent")).to_have_text(f"{percent} %")
            expect(page).to_have_title(re.compile(rf"^{percent} % · "))
            expect(page.locator("#picture img")).to_have_attribute("src", re.compile("preview"))
            page.wait_for_timeout(250)
            shown.add(page.locator("#picture img").get_attribute("src"))
            if step == 2:
                expect(page.locator("#status")).to_have_text("25 % painted.")
                page.locator("#stop").focus()
        assert len(shown) >= 3
        # The picture never moved or changed its size, and the button kept the focus.
        assert place(page) == box
        expect(page.locator("#stop")).to_be_focused()
        expect(page.locator(".curve svg")).to_have_count(2)
        engine.step()
    expect(page.locator(".compare")).to_be_visible()
    expect(page.locator("#status")).to_have_text("The painting is finished.")
    expect(page).to_have_title(re.compile("^Done · "))
    # The stream was closed by its last event, and is not opened again.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1500)
    assert not [url for url in asked if url.endswith("/stream")]


def test_the_page_after_the_start_is_the_page_after_a_reload(page: Page, studio: Studio) -> None:
    start(page)
    expect(page.locator(".studio")).to_have_class("studio has-job")
    seen = """() => [document.title, ...[...document.querySelectorAll("h1, h2")].map((one) => `${one.tagName} ${one.textContent}`),
        document.querySelectorAll(".masthead [aria-current]").length]"""
    swapped = page.evaluate(seen)
    assert swapped[0].startswith("Waiting · ")
    page.reload()
    assert page.evaluate(seen) == swapped


def test_a_reader_is_not_told_again_what_the_page_says_when_it_comes(page: Page, studio: Studio) -> None:
    start(page)
    expect(page.locator("#status")).to_have_text("Waiting in the queue, at place 1.")
    page.reload()
    expect(page).to_have_title(re.compile("^Waiting · "))
    page.wait_for_timeout(300)
    expect(page.locator("#status")).to_be_empty()


def test_a_server_that_is_away_is_said_and_forgotten(browser: Browser, address: str, studio: Studio) -> None:
    # The browser complains of each lost connection, as it should.
    context = browser.new_context(base_url=address)
    page = context.new_page()
    notice = page.locator("#notice")
    page.route("**/stream", lambda route: route.abort("connectionrefused"))
    start(page)
    expect(notice).to_contain_text("Connection lost. Reconnecting…")
    page.unroute("**/stream")
    expect(notice).to_be_empty()
    page.route("**/cancel", lambda route: route.abort("connectionrefused"))
    page.get_by_role("button", name="Cancel").click()
    expect(notice).to_have_text("The server cannot be reached. The job goes on; try again.")
    page.unroute("**/cancel")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    expect(notice).to_be_empty()
    context.close()


def test_a_stream_too_many_is_said_and_its_page_stands_without(browser: Browser, address: str, studio: Studio) -> None:
    object.__setattr__(studio.services, "settings", studio.settings.model_copy(update={"max_streams": 1}))
    # The browser complains of each refused stream, as it should.
    context = browser.new_context(base_url=address)
    first, second = context.new_page(), context.new_page()
    start(first)
    expect(first.locator("#status")).to_have_text("Waiting in the queue, at place 1.")
    notice = second.locator("#notice")
    for _ in range(2):
        second.goto(first.url)
        expect(notice).to_have_text(
            re.compile("^You are watching too many things at once. Close some of their pages, or load this one again")
        )
        expect(second).to_have_title(re.compile("^Waiting · "))
    first.close()
    expect(notice).to_be_empty(timeout=20_000)
    context.close()


def test_the_slider_moves_by_keyboard(page: Page, studio: Studio) -> None:
    start(page)
    with painting(studio):
        pass
    slider = page.get_by_role("slider", name="How much of the photograph is shown")
    slider.focus()
    expect(page.locator(".compare").get_by_text("Painting", exact=True)).to_be_hidden()
    before = page.locator(".compare-before").evaluate("(part) => getComputedStyle(part).clipPath")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("60")
    expect(slider).to_have_attribute("aria-valuetext", "60 % photograph, 40 % painting")
    assert page.locator(".compare-before").evaluate("(part) => getComputedStyle(part).clipPath") != before
    page.keyboard.press("Home")
    expect(slider).to_have_value("0")


def test_downloads_and_again_with_changes(page: Page, studio: Studio) -> None:
    start(page)
    with painting(studio):
        pass
    for kind in ("PNG", "JPEG"):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Download {kind}").click()
        assert download.value.suggested_filename.startswith("pentimento-")
        assert download.value.path().stat().st_size > 500
    with page.expect_download() as download:
        page.get_by_role("link", name="16-bit TIFF").click()
    assert download.value.suggested_filename.endswith(".tif")
    pixels = tifffile.imread(download.value.path())
    assert (pixels.dtype, max(pixels.shape)) == (np.uint16, 512)
    page.get_by_role("link", name="Again with changes").click()
    page.wait_for_url("**/?from=*")
    expect(page.locator("#content-name")).not_to_be_empty()
    expect(page.locator("#style-name")).not_to_be_empty()
    page.get_by_role("button", name="Start painting").click()
    page.wait_for_url("**/jobs/*")


def test_stop_and_cancel(page: Page, studio: Studio) -> None:
    start(page)
    with painting(studio) as engine:
        engine.step()
        expect(page.locator("#figures .percent")).to_have_text("12 %")
        page.get_by_role("button", name="Stop and keep").click()
        expect(page.locator(".stage")).to_have_text("Stopping after this step")
        page.wait_for_timeout(500)  # a worker reads its job's flags a few times a second
        engine.step()
        expect(page.locator(".compare")).to_be_visible()
    expect(page.locator("#job")).to_contain_text("Stopped early")
    start(page)
    with painting(studio) as engine:
        expect(page.get_by_role("button", name="Stop and keep")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    expect(page.locator("#status")).to_have_text("The job was cancelled.")


def test_an_answer_that_comes_after_the_end_does_not_bring_the_job_back(page: Page, studio: Studio) -> None:
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/stop", lambda route: held.append((route, route.fetch())))
    start(page)
    with painting(studio) as engine:
        engine.step()
        expect(page.locator("#figures .percent")).to_have_text("12 %")
        page.get_by_role("button", name="Stop and keep").click()
        expect(page.locator(".stage")).to_have_text("Stopping after this step")
        page.wait_for_timeout(500)
        engine.step()
        expect(page.locator(".compare")).to_be_visible()
    [(route, answer)] = held
    assert "Stopping" in answer.text()
    with page.expect_event("requestfinished"):
        route.fulfill(response=answer)
    page.wait_for_timeout(200)
    expect(page.locator(".compare")).to_be_visible()


def test_a_reload_and_a_second_tab_lose_nothing(page: Page, studio: Studio) -> None:
    start(page)
    with painting(studio) as engine:
        engine.step(2)
        expect(page.locator("#figures .percent")).to_have_text("25 %")
        page.reload()
        expect(page.locator("#figures .percent")).to_have_text("25 %")
        expect(page.locator("#picture img")).to_have_attribute("src", re.compile("preview"))
        second = page.context.new_page()
        second.goto(page.url)
        engine.step(2)
        for tab in (page, second):
            expect(tab.locator("#figures .percent")).to_have_text("50 %")
    for tab in (page, second):
        expect(tab.locator(".compare")).to_be_visible()


def test_a_hidden_tab_rests_and_comes_back(page: Page, studio: Studio) -> None:
    start(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with painting(studio) as engine:
        engine.step()
        expect(page.locator("#figures .percent")).to_have_text("12 %")
        asked.clear()
        page.evaluate(hide, True)
        engine.step(3)
        page.wait_for_timeout(800)
        expect(page.locator("#figures .percent")).to_have_text("12 %")
        page.evaluate(hide, False)
        expect(page.locator("#figures .percent")).to_have_text("50 %")
    expect(page.locator(".compare")).to_be_visible()
    # The job's own stream once more; its verdict has one of its own when the job has ended.
    assert len([url for url in asked if "/jobs/" in url and url.endswith("/stream")]) == 1


def test_delete_and_undo(page: Page, studio: Studio) -> None:
    start(page)
    with painting(studio):
        pass
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted:")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".compare")).to_be_visible()


def look(page: Page, where: str) -> list[str]:
    """Return what axe finds, and what is wider than the window, in both themes."""
    found = []
    page.mouse.move(0, 0)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        violations = Axe().run(page).response["violations"]
        found += [f"{where}, {scheme}: {one['id']} {[node['html'] for node in one['nodes']][:3]}" for one in violations]
        page.set_viewport_size({"width": 320, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            found.append(f"{where}, {scheme}: wider than 320 px")
        page.set_viewport_size({"width": 1280, "height": 900})
    return found


def test_axe_finds_nothing_in_any_state(page: Page, studio: Studio) -> None:
    page.goto("/")
    found = look(page, "empty")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Size", exact=True).fill("9")
    page.get_by_role("button", name="Start painting").click()
    expect(page.locator("#size-error")).not_to_be_empty()
    found += look(page, "field errors")
    start(page)
    found += look(page, "queued")
    with painting(studio) as engine:
        engine.step(3)
        expect(page.locator("#figures .percent")).to_have_text("37 %")
        found += look(page, "running")
    expect(page.locator(".compare")).to_be_visible()
    for summary in page.locator("#job summary").all():
        summary.click()
    found += look(page, "done")
    start(page)
    with painting(studio) as engine:
        engine.fail("The loss became infinite. Choose a lower strength.")
        expect(page.get_by_text("The loss became infinite.")).to_be_visible()
    found += look(page, "failed")
    start(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    found += look(page, "cancelled")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    found += look(page, "history with undo")
    page.goto("/history?before=1")
    found += look(page, "history, empty")
    page.goto("/docs")
    found += look(page, "docs")
    assert found == []


def test_without_javascript(plain_page: Page, studio: Studio) -> None:
    page = plain_page
    page.goto("/")
    page.locator("[name=content_sample]").first.check()
    page.get_by_role("button", name="Start painting").click()
    expect(page.locator("#style-error")).to_contain_text("Choose a painting")
    expect(page).to_have_title("Error: Pentimento")
    expect(page.locator("#style")).to_be_focused()
    page.get_by_role("link", name="Choose a painting").click()
    assert page.url.endswith("#style")
    expect(page.locator("[name=content_sample]").first).to_be_checked()
    page.locator("[name=style_sample]").first.check()
    page.get_by_role("button", name="Start painting").click()
    expect(page.get_by_role("link", name="Refresh")).to_be_visible()
    expect(page.get_by_role("link", name="Paint another")).to_be_visible()
    expect(page.get_by_role("button", name="Start painting")).to_be_hidden()
    with painting(studio):
        pass
    # The page refreshes itself.
    expect(page.get_by_role("link", name="Download PNG")).to_be_visible()
    for alt in ("The photograph before", re.compile("^The painting: ")):
        expect(page.get_by_alt_text(alt)).to_be_visible()
    for caption in ("Photograph", "Painting"):
        expect(page.locator(".compare").get_by_text(caption, exact=True)).to_be_visible()
