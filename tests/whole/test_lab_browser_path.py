"""The Lab in a real browser against the running stack: upload, watch, experiment, curves, report, download."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from app.core.report import Report
from tests.whole.test_lab_path import small

_WAIT_MS = 120_000


def test_from_uploads_to_a_report_before_ones_eyes(page: Page, stack: str, tmp_path: Path) -> None:
    chosen: dict[str, list[Path]] = {"content": [], "style": []}
    for role, names in (("content", ("astronaut", "coffee", "rocket")), ("style", ("night", "cubist"))):
        for name in names:
            path = tmp_path / f"{name}.jpg"
            path.write_bytes(small(role, name)[1])
            chosen[role].append(path)
    page.goto(f"{stack}/lab/datasets/new")
    for role, paths in chosen.items():
        page.locator(f"input[type=file][name={role}]").set_input_files(paths)
    page.locator("#size").fill("96")
    page.locator("#name").fill("Before one's eyes")
    expect(page.locator("#count")).to_contain_text("3 × 2: 6 pictures to be stylised")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.locator("#status")).to_have_text("The dataset is ready.", timeout=_WAIT_MS)
    expect(page.locator(".cell img")).to_have_count(6)

    page.get_by_role("link", name="New experiment…").click()
    page.get_by_role("radio", name=re.compile("^Quick look")).check()
    page.locator("summary", has_text="All parameters").click()
    for split in ("random", "content", "style", "generator"):
        page.locator(f"[name=splits][value={split}]").uncheck()
    changes = {"training.epochs": "200", "training.hidden": "64", "training.output": "16", "resamples": "100", "permutations": "0"}
    for name, value in changes.items():
        page.locator(f"[name='{name}']").fill(value)
    page.get_by_role("button", name="Run the experiment").click()
    page.evaluate("""() => {
        window.drawn = new Set();
        document.addEventListener("htmx:sseMessage", () => {
            const line = document.querySelector(".live-curves polyline");
            if (line) drawn.add(line.getAttribute("points"));
        });
    }""")
    page.locator(".report-lead").wait_for()
    # The curves moved while it was learning.
    assert page.evaluate("drawn.size") >= 2
    expect(page.locator("#status")).to_have_text(re.compile(r"^The experiment is finished"))
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON report").click()
    report = Report.model_validate(json.loads(Path(download.value.path()).read_text()))
    assert sorted({picture.content for picture in report.pictures}) == ["astronaut.jpg", "coffee.jpg", "rocket.jpg"]
    assert report.splits[0].name == "train_is_test"
    # What the page says is what the report says.
    headline = report.split(report.headline).test["auroc"].value
    assert headline is not None
    expect(page.locator(".report-lead")).to_contain_text(f"AUROC {headline:.3f}")
