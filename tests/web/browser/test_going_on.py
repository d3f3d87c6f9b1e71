"""Pausing, going on and changing the balance, as a person does."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from app.core.checkpoint import Checkpoint
from app.core.progress import Losses, OnProgress, Progress, StopRequested
from app.core.steering import settings_of
from tests.web.browser.test_job import look, start
from tests.web.conftest import FACTS, Studio
from workers.runtime.stylizing import Outcome, Sitting, Stylizing


class Engine:
    """Ten steps, each when the test says so; goes on from where it was put down, with the balance that is wanted.

    Attributes:
        notes: what is said after a step, by its number.
        settings: what each step was done with.
    """

    steps = 10

    def __init__(self, notes: Mapping[int, str] | None = None) -> None:
        self._gate = threading.Semaphore(0)
        self.notes = notes or {}
        self.settings: list[dict[str, float]] = []

    def asked(self, name: str) -> list[float]:
        return [settings[name] for settings in self.settings]

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
                self.settings.append(settings_of(sitting.steer()))
                done += 1
                canvas = np.full((height, width, 3), done / 20, np.float32)
                on_progress(self._progress(sitting, done, canvas, self.notes.get(done)))
        return Outcome(canvas, FACTS)

    def _progress(self, sitting: Sitting, done: int, canvas: np.ndarray, note: str | None = None) -> Progress:
        def save() -> Checkpoint:
            return Checkpoint(0, done, done, done / 2, canvas, canvas, (3.0,), settings_of(sitting.steer()), {})

        losses, preview = Losses(1.0, 2.0, 0.0, 3.0) if done else None, (canvas * 255).astype(np.uint8) if done else None
        return Progress("refine", 512, done, self.steps, done / self.steps, losses, done / 2, None, preview, note, save if done else None)


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
    assert (engine.asked("strength")[:2], set(engine.asked("strength")[2:])) == ([1.0, 1.0], {2.0})
    expect(page.locator(".verdict-line")).to_contain_text("Strength 1 → 2 from iteration 3")


def row(page: Page) -> dict[str, Any]:
    """Return the job of a page as the API tells it."""
    found: dict[str, Any] = page.request.get(f"/api{urlsplit(page.url).path}").json()
    return found


def slider(page: Page, name: str) -> Locator:
    return page.locator("#balance").get_by_role("slider", name=name)


def move(page: Page, name: str, key: str, position: str, times: int = 1) -> None:
    """Move a slider by keyboard, and wait until the server has its position."""
    moved = slider(page, name)
    moved.focus()
    field = str(moved.get_attribute("name"))
    with page.expect_response(lambda told: parse_qs(told.request.post_data or "").get(field) == [position]):
        for _ in range(times):
            page.keyboard.press(key)


def test_changes_hold_through_pause_and_going_on_and_on_another_page(page: Page, studio: Studio) -> None:
    start(page)
    second = page.context.new_page()
    second.goto(page.url)
    move(page, "Strength", "ArrowRight", "1", times=4)
    move(second, "Content weight", "ArrowLeft", "-1", times=4)
    params = row(page)["params"]
    assert (params["strength"], params["content_weight"]) == (2.0, 0.5)
    engine = Engine()
    with painting(studio, engine):
        engine.step(3)
        for one in (page, second):
            expect(one.locator("#figures .percent")).to_have_text("30 %")
            expect(slider(one, "Strength")).to_have_attribute("aria-valuetext", "2")
            expect(slider(one, "Content weight")).to_have_attribute("aria-valuetext", "0.5")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
    move(page, "Strength", "ArrowRight", "2", times=4)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".times")).to_contain_text("Place in the queue")
    with painting(studio, engine):
        expect(second.locator(".stage")).to_contain_text("Refining the brush work")
        expect(slider(second, "Strength")).to_have_value("2")
        move(page, "Content weight", "Home", "-4.25")
        expect(slider(page, "Content weight")).to_have_attribute("aria-valuetext", "off")
        expect(slider(page, "Strength")).to_have_value("2")
        engine.step()
        # What was followed is told to every page.
        expect(second.locator("#balance-said")).to_contain_text("Content weight 0.5 → 0 from iteration 4")
        expect(slider(second, "Content weight")).to_have_value("-4.25")
        move(page, "Content weight", "ArrowRight", "-4")
        params = row(page)["params"]
        assert (params["strength"], params["content_weight"]) == (4.0, 0.062)
        engine.step(6)
        expect(page.locator(".compare")).to_be_visible()
    assert [*zip(engine.asked("strength"), engine.asked("content_weight"), strict=True)] == [(2, 0.5)] * 3 + [(4, 0)] + [(4, 0.062)] * 6


def test_a_slider_stays_in_the_hand_while_the_job_is_drawn_again(page: Page, studio: Studio) -> None:
    start(page)
    strength = slider(page, "Strength")
    strength.scroll_into_view_if_needed()
    box = strength.bounding_box()
    assert box is not None
    at = lambda share: (box["x"] + box["width"] * share, box["y"] + box["height"] / 2)  # noqa: E731
    page.mouse.move(*at(0.6))
    page.mouse.down()
    page.mouse.move(*at(0.7))
    held = strength.input_value()
    assert float(held) > 0
    engine = Engine()
    with painting(studio, engine):
        expect(page.get_by_role("button", name="Stop and keep")).to_be_visible()
        expect(strength).to_have_value(held)
        engine.step()
        expect(page.locator("#picture img")).to_have_attribute("src", re.compile("preview"))
        expect(strength).to_have_value(held)
        page.mouse.move(*at(0.8))
        put = strength.input_value()
        assert float(put) > float(held)
        with page.expect_response("**/change"):
            page.mouse.up()
        assert row(page)["params"]["strength"] == round(2 ** float(put), 3)
        expect(strength).to_be_focused()
        engine.step(9)
        expect(page.locator(".compare")).to_be_visible()
    assert engine.asked("strength")[1:] == [round(2 ** float(put), 3)] * 9


def test_paintings_and_layers_are_weighed_while_they_are_painted(page: Page, studio: Studio) -> None:
    page.goto("/")
    content, style, style2 = (studio.services.samples.of(role)[place].name for role, place in (("content", 0), ("style", 0), ("style", 1)))
    fields = {"content_sample": content, "style_sample": style, "style2_sample": style2}
    made = page.request.post("/api/jobs", form=fields)
    assert made.status == 202
    page.goto(f"/jobs/{made.json()['id']}")
    engine = Engine()
    with painting(studio, engine):
        engine.step()
        expect(page.locator("#figures .percent")).to_have_text("10 %")
        move(page, "Second painting", "End", "100")
        expect(slider(page, "Second painting")).to_have_attribute("aria-valuetext", "67 %")
        expect(page.locator("#balance .option").filter(has_text="Second painting").locator("output")).to_have_text("67 %")
        expect(page.locator("output[for=balance-style_weight]")).to_have_text("33 %")
        fold = page.locator("#balance summary")
        fold.click()
        move(page, "Style at relu4_1", "Home", "-4.25")
        move(page, "Smoothness", "ArrowRight", "-3", times=5)
        found = row(page)
        assert [found["inputs"][role]["weight"] for role in ("style", "style2")] == [50.0, 100.0]
        assert (found["params"]["style_relu4_1"], found["params"]["tv"]) == (0.0, 0.125)
        engine.step()
        expect(page.locator("#balance-said")).to_contain_text("Weight of the second painting 50 → 100 from iteration 2")
        expect(slider(page, "Style at relu4_1")).to_be_visible()
        assert look(page, "running, with its sliders") == []
        engine.step(8)
        expect(page.locator(".compare")).to_be_visible()
    followed = [(one["weight_2"], one["style_relu4_1"], one["tv"]) for one in engine.settings]
    assert followed == [(50.0, 1.0, 0.0)] + [(100.0, 0.0, 0.125)] * 9
    expect(page.locator(".verdict-line")).to_contain_text("Style at relu4_1 1 → 0 from iteration 2")


def test_what_is_refused_goes_back_and_does_not_come_with_the_next_change(page: Page, studio: Studio) -> None:
    content, style = (studio.services.samples.of(role)[0].name for role in ("content", "style"))
    without = {f"style_relu{layer}_1": "0" for layer in range(2, 6)}
    made = page.request.post("/api/jobs", form={"content_sample": content, "style_sample": style, "content_weight": "0", **without})
    assert made.status == 202
    page.goto(f"/jobs/{made.json()['id']}")
    page.locator("#balance summary").click()
    last = slider(page, "Style at relu1_1")
    last.press("Home")
    expect(page.locator("#notice")).to_contain_text("nothing is left to paint")
    expect(last).to_have_value("0")
    expect(last).to_have_attribute("aria-valuetext", "1")
    move(page, "Strength", "ArrowRight", "0.25")
    expect(page.locator("#notice .problem-note")).to_have_count(0)
    params = row(page)["params"]
    assert (params["style_relu1_1"], params["strength"]) == (1.0, 1.189)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()


def test_without_scripts_a_resting_picture_is_changed_at_leisure(plain_page: Page, studio: Studio) -> None:
    page = plain_page
    start(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    slider(page, "Strength").fill("1")
    page.get_by_role("button", name="Change it so").click()
    expect(slider(page, "Strength")).to_have_attribute("aria-valuetext", "2")
    page.locator("#balance summary").click()
    slider(page, "Smoothness").fill("-1")
    # Longer than a page waits that loads itself again.
    page.wait_for_timeout(3500)
    expect(slider(page, "Smoothness")).to_have_value("-1")
    page.get_by_role("button", name="Change it so").click()
    expect(page.locator("#balance-tv")).to_have_attribute("aria-valuetext", "0.5")
    params = row(page)["params"]
    assert (params["strength"], params["content_weight"], params["tv"]) == (2.0, 1.0, 0.5)


def test_why_a_scale_ended_early_is_said(page: Page, studio: Studio) -> None:
    start(page)
    note = "256 px: stopped at iteration 3 of 50, no longer improving"
    engine = Engine({3: note})
    with painting(studio, engine):
        engine.step(4)
        expect(page.locator("#figures")).to_contain_text(f"{note}.")
        engine.step(6)
        expect(page.locator(".verdict-line")).to_contain_text(f"{note}.")
    expect(page.locator(".verdict-line")).to_contain_text("Painted in")
    page.reload()
    expect(page.locator(".verdict-line")).to_contain_text(f"{note}.")


def test_two_hundred_more_and_larger_are_painted_to_their_end(page: Page, studio: Studio) -> None:
    start(page)
    urls = [page.url]
    for button, wanted in (("200 more", {"size": 512, "iterations": [200]}), ("Larger: 1024 px", {"size": 1024, "iterations": [50, 20]})):
        engine = Engine()
        engine.step(10)
        with painting(studio, engine):
            expect(page.locator(".compare")).to_be_visible()
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("link", name="Continued from an earlier picture")).to_have_attribute("href", urlsplit(urls[-1]).path)
        urls.append(page.url)
        assert {name: row(page)["params"][name] for name in wanted} == wanted
    engine.step(10)
    with painting(studio, engine):
        expect(page.locator(".compare")).to_be_visible()
    assert len(set(urls)) == 3
    assert page.locator(".compare-after img").get_attribute("width") == "1024"
    page.get_by_role("link", name="Continued from an earlier picture").click()
    expect(page.get_by_role("link", name="Continued in another picture")).to_have_attribute("href", urlsplit(urls[-1]).path)
