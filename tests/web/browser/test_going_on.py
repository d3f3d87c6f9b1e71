"""Pausing, going on and changing the balance, as a person does."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs

import numpy as np
from playwright.sync_api import APIResponse, Page, Route, expect

from app.core.checkpoint import Checkpoint
from app.core.progress import Losses, OnProgress, Progress, StopRequested
from app.core.steering import settings_of
from tests.web.browser.test_job import look, start
from tests.web.conftest import FACTS, Studio
from workers.runtime.stylizing import Outcome, Sitting, Stylizing


class Engine:
    """Ten steps, each when the test says so; goes on from where it was put down, with the strength that is wanted."""

    steps = 10

    def __init__(self) -> None:
        self._gate = threading.Semaphore(0)
        self.strengths: list[float] = []

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self._gate.release()

    def __call__(self, sitting: Sitting, on_progress: OnProgress) -> Outcome:
        height, width = sitting.commission.content.shape[:2]
        done = sitting.resume.iteration if sitting.resume else 0
        canvas = np.zeros((height, width, 3), np.float32)
        with suppress(StopRequested):
            on_progress(self._progress(sitting, done, canvas))
            while done < self.steps:
                while not self._gate.acquire(timeout=0.1):
                    on_progress(self._progress(sitting, done, canvas))
                self.strengths.append(sitting.steer().params.strength)
                done += 1
                canvas = np.full((height, width, 3), done / 20, np.float32)
                on_progress(self._progress(sitting, done, canvas))
        return Outcome(canvas, FACTS)

    def _progress(self, sitting: Sitting, done: int, canvas: np.ndarray) -> Progress:
        def save() -> Checkpoint:
            return Checkpoint(0, done, done, done / 2, canvas, canvas, (3.0,), settings_of(sitting.steer()), {})

        losses, preview = Losses(1.0, 2.0, 0.0, 3.0) if done else None, (canvas * 255).astype(np.uint8) if done else None
        return Progress("refine", 512, done, self.steps, done / self.steps, losses, done / 2, None, preview, None, save if done else None)


@contextmanager
def painting(studio: Studio, engine: Engine) -> Iterator[None]:
    worker = threading.Thread(target=studio.runtime.run_one, args=(Stylizing, engine), daemon=True)
    worker.start()
    yield
    worker.join(timeout=20)
    assert not worker.is_alive()


def test_an_answer_that_comes_after_a_newer_state_does_not_bring_the_older_one_back(page: Page, studio: Studio) -> None:
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/pause", lambda route: held.append((route, route.fetch())))
    start(page)
    engine = Engine()
    with painting(studio, engine):
        engine.step(3)
        expect(page.locator("#figures .percent")).to_have_text("30 %")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
    [(route, answer)] = held
    assert "Pausing" in answer.text()
    with page.expect_event("requestfinished"):
        route.fulfill(response=answer)
    page.wait_for_timeout(200)
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    expect(page.locator(".stage")).to_have_text("Paused")


def test_pause_and_go_on(page: Page, studio: Studio) -> None:
    start(page)
    engine, found = Engine(), list[str]()
    with painting(studio, engine):
        engine.step(3)
        expect(page.locator("#figures .percent")).to_have_text("30 %")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
    expect(page.locator(".stage")).to_have_text("Paused")
    expect(page.locator("#status")).to_have_text("The painting is paused.")
    expect(page).to_have_title(re.compile("^Paused · "))
    expect(page.locator("#figures .percent")).to_have_text("30 %")
    found += look(page, "paused")
    page.reload()
    expect(page.locator(".stage")).to_have_text("Paused")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".times")).to_contain_text("Place in the queue")
    with painting(studio, engine):
        expect(page.locator("#figures")).to_contain_text("Went on from iteration 3.")
        expect(page.locator("#figures .percent")).to_have_text("30 %")
        engine.step(7)
        expect(page.locator(".compare")).to_be_visible()
    page.get_by_role("button", name="200 more").click()
    expect(page.get_by_role("link", name="Continued from an earlier picture")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    assert found == []


def test_the_strength_is_changed_while_it_is_painted(page: Page, studio: Studio) -> None:
    start(page)
    engine = Engine()
    with painting(studio, engine):
        engine.step(2)
        expect(page.locator("#figures .percent")).to_have_text("20 %")
        slider = page.get_by_role("slider", name="Strength", exact=False).first
        slider.focus()
        with page.expect_response(lambda told: parse_qs(told.request.post_data or "").get("strength") == ["1"]):
            for _ in range(4):
                page.keyboard.press("ArrowRight")
        expect(slider).to_have_attribute("aria-valuetext", "2")
        expect(page.locator("#balance-said")).to_contain_text("followed from the next step on")
        expect(slider).to_be_focused()
        engine.step(8)
        expect(page.locator(".compare")).to_be_visible()
    assert (engine.strengths[:2], set(engine.strengths[2:])) == ([1.0, 1.0], {2.0})
    expect(page.locator(".verdict-line")).to_contain_text("Strength 1 → 2 from iteration 3")
