"""A verdict as a person sees it. The test plays painter and detector; everything else is real."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from playwright.sync_api import Page, expect

from app.core.errors import EngineError
from app.core.verdicts import Judgement
from app.jobs import verdict_events
from app.web.security import OWNER_COOKIE
from tests.browser import DROP
from tests.verdict_double import DETECTOR, Brightness
from tests.web.browser.test_job import look, start
from tests.web.conftest import Studio
from tests.web.test_verdict_pages import brighten
from workers.tasks import verdict


@contextmanager
def judging(studio: Studio) -> Iterator[threading.Event]:
    """A detector that is woken when the test says so, at the latest with the end of the block."""
    go = threading.Event()

    def wake() -> Brightness:
        assert go.wait(timeout=60)
        return Brightness()

    worker = threading.Thread(target=verdict.run, args=(studio.runtime, wake), daemon=True)
    worker.start()
    try:
        yield go
    finally:
        go.set()
        worker.join(timeout=20)
    assert not worker.is_alive()


def owner_of(page: Page, studio: Studio) -> str:
    (cookie,) = [one for one in page.context.cookies() if one["name"] == OWNER_COOKIE]
    owner = studio.services.signer.read(cookie["value"])
    assert owner
    return owner


class Broken(Brightness):
    def judge(self, pixels: np.ndarray) -> Judgement:
        raise EngineError("The detector's file is damaged. Start again to fetch it anew.")


def test_cards_appear_on_a_finished_job_and_its_run_can_be_looked_through(page: Page, studio: Studio) -> None:
    streams: list[str] = []
    page.on("request", lambda asked: streams.append(asked.url) if asked.url.endswith("/stream") else None)
    start(page)
    studio.work(brighten)
    expect(page.locator("#status")).to_have_text("The painting is finished.")
    expect(page.locator(".decision")).to_have_text(["Not judged yet"] * 3)
    found = []
    with judging(studio) as go:
        expect(page.locator(".verdict-progress .stage")).to_have_text("Waking the detector")
        found += look(page, "being judged")
        # Progress moves alone: the pictures are not drawn again.
        page.locator(".judged-picture").first.evaluate("picture => picture.dataset.kept = 'yes'")
        row = studio.services.verdicts.of_job(owner_of(page, studio), page.url.split("/")[-1])
        moved = verdict_events.snapshot(row).model_copy(update={"percent": 50.0, "stage": "judge"})
        studio.events.publish(row.id, moved.model_dump_json())
        expect(page.locator(".verdict-progress .percent")).to_have_text("50 %")
        expect(page.locator(".verdict-progress .stage")).to_have_text("Looking at the pictures")
        expect(page.locator(".judged-picture[data-kept]")).to_have_count(1)
        go.set()
    expect(page.locator("#status")).to_have_text("Verdict: stylised, 98 %.")
    # One stream for the job, then one for its verdict, and none once it is there.
    assert [url.split("/")[-3] for url in streams] == ["jobs", "verdicts"]

    maps = page.locator(".heat")
    expect(maps).to_have_count(3)
    expect(maps.first).to_be_visible()
    switch = page.get_by_label("Show the evidence")
    switch.focus()
    page.keyboard.press("Space")
    expect(maps.first).not_to_be_visible()
    page.keyboard.press("Space")
    expect(maps.first).to_be_visible()

    scrubber = page.get_by_role("slider", name="Picture of the run")
    expect(page.locator(".run-caption")).to_have_text("Iteration 5: 98 %, stylised")
    shown = {page.locator(".run-picture").get_attribute("src")}
    scrubber.focus()
    for iteration, said in ((4, "90 %, stylised"), (3, "67 %, stylised"), (2, "29 %, original"), (1, "8 %, original")):
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".run-caption")).to_have_text(f"Iteration {iteration}: {said}")
        expect(scrubber).to_have_attribute("aria-valuetext", f"Iteration {iteration}: {said}")
        expect(page.locator(".run-picture")).to_have_attribute("alt", f"The painting at iteration {iteration}")
        shown.add(page.locator(".run-picture").get_attribute("src"))
    assert len(shown) == 5
    assert page.locator(".run-dot").evaluate_all("dots => dots.findIndex((dot) => dot.matches('.is-shown'))") == 0

    for summary in page.locator(".neighbours summary, .receipt summary").all():
        summary.click()
    # The receipt was drawn before there was a verdict.
    expect(page.locator(".receipt")).to_contain_text(DETECTOR)
    found += look(page, "judged")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download JSON").click()
    assert re.fullmatch(r"pentimento-verdict-[0-9a-f]{8}\.json", download.value.suggested_filename)
    assert found == []


def test_a_picture_is_dropped_judged_deleted_and_brought_back(page: Page, studio: Studio, files: dict) -> None:
    page.goto("/verdict")
    page.get_by_role("button", name="Give a verdict").click()
    expect(page.locator("#picture-error")).to_contain_text("Choose a picture")
    expect(page.locator("#picture")).to_be_focused()
    found = look(page, "verdict form with an error")
    dropped = [page.locator(".zone").element_handle(), "harbour.png", list(files["photo"].read_bytes())]
    page.evaluate(DROP, dropped)
    expect(page.locator("#picture-name")).to_have_text("harbour.png")
    expect(page.locator("#picture-error")).to_be_empty()
    page.get_by_role("button", name="Give a verdict").click()
    page.wait_for_url("**/verdicts/*")
    expect(page).to_have_title(re.compile("^Being judged · harbour.png"))
    with judging(studio):
        pass
    # Grey value 120, so a logit of −0.25.
    expect(page.locator(".decision")).to_have_text("Uncertain")
    expect(page.locator("#status")).to_have_text("Verdict: uncertain, 44 %.")
    expect(page).to_have_title(re.compile("^Uncertain · harbour.png"))
    found += look(page, "a picture judged")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted: harbour.png")).to_be_visible()
    found += look(page, "verdicts with undo")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".chance")).to_contain_text("44 %")
    page.get_by_role("link", name="Verdict", exact=True).click()
    expect(page.locator(".card-title")).to_have_text("Uncertain · 44 % stylised")
    found += look(page, "verdicts")
    assert found == []


def test_a_failed_verdict_is_told_and_tried_again(page: Page, studio: Studio) -> None:
    page.goto("/verdict")
    page.locator("[name=picture_sample]").first.check()
    page.get_by_role("button", name="Give a verdict").click()
    page.wait_for_url("**/verdicts/*")
    assert verdict.run(studio.runtime, Broken)
    expect(page.locator(".ending")).to_contain_text("The detector's file is damaged.")
    expect(page.locator("#status")).to_contain_text("The verdict failed.")
    found = look(page, "a failed verdict")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".verdict-progress .stage")).to_have_text("Waiting for its turn")
    assert verdict.run(studio.runtime, Brightness)
    expect(page.locator(".chance")).to_be_visible()
    assert found == []
