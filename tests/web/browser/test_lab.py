"""The Lab as a person sees it. The test plays painter and network; keeper, training and report are real."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from app.core.features import FeatureSet
from app.jobs.models import Job
from app.lab.experiment_events import ExperimentEvent, TrainedRun, TrainPoint, snapshot
from tests.lab.conftest import png
from tests.web.browser.test_job import look
from tests.web.browser.test_verdict import owner_of
from tests.web.conftest import Studio
from tests.web.test_api_lab_experiments import Describer, no_engine
from tests.web.test_hypothesis_pages import SMALL, labelled, try_out
from workers.tasks import experiment


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, list[Path]]:
    """Three contents, one that is none, and two styles."""
    made = {"content": [tmp_path / f"c{n}.png" for n in range(3)], "style": [tmp_path / f"s{n}.png" for n in range(2)]}
    for place, path in enumerate([*made["content"], *made["style"]]):
        path.write_bytes(png(place))
    (tmp_path / "notes.png").write_bytes(b"not a picture at all")
    made["content"].append(tmp_path / "notes.png")
    return made


class Slow(Describer):
    """Describes when the test says so."""

    def __init__(self, go: threading.Event) -> None:
        self._go = go

    def stream(self, pictures: Iterator[NDArray[np.uint8]], feature_set: FeatureSet, **more: object) -> Iterator[NDArray[np.float32]]:
        assert self._go.wait(timeout=60)
        yield from super().stream(pictures, feature_set, **more)  # type: ignore[arg-type]


@contextmanager
def studying(studio: Studio) -> Iterator[threading.Event]:
    """A worker that runs one experiment, once the test lets it describe pictures."""
    go = threading.Event()
    worker = threading.Thread(target=experiment.run, args=(studio.runtime, lambda: Slow(go), no_engine), daemon=True)
    worker.start()
    try:
        yield go
    finally:
        go.set()
        worker.join(timeout=90)
    assert not worker.is_alive()


def learning(row: Job, epochs: int) -> ExperimentEvent:
    """The experiment in its training, so many epochs far."""
    points = [
        TrainPoint(epoch=n, loss=4.0 / n, alignment=1.0 / n, uniformity=-n / 2, effective_rank=3.0 + n, retrieval=n / 10, detection=0.9)
        for n in range(1, epochs + 1)
    ]
    training = TrainedRun(split="content_style", seed=0, epochs=20, curve=points)
    news = {"percent": 40.0 + epochs / 10, "stage": "train", "split": "content_style", "seed": 0, "training": training}
    return snapshot(row).model_copy(update=news)


def make(page: Page, pictures: dict[str, list[Path]]) -> None:
    page.goto("/lab/datasets/new")
    for role, paths in pictures.items():
        page.locator(f"input[type=file][name={role}]").set_input_files(paths)
    page.locator("#size").fill("64")
    page.get_by_role("button", name="Make the dataset").click()
    page.wait_for_url(re.compile(r"/lab/datasets/\w{32}$"))


def test_from_pictures_to_a_report(page: Page, studio: Studio, pictures: dict[str, list[Path]]) -> None:
    streams: list[str] = []
    page.on("request", lambda asked: streams.append(asked.url) if re.search(r"/stream(\?|$)", asked.url) else None)
    page.goto("/lab")
    found = look(page, "the Lab of a newcomer")
    make(page, pictures)
    expect(page.locator(".stage")).to_have_text("0 of 6 pictures are stylised")
    expect(page.locator("#dataset-body summary")).to_have_text("1 file was left out")
    found += look(page, "a dataset being made")
    page.locator(".grid-scroll").evaluate("grid => grid.dataset.kept = 'yes'")
    studio.work()
    # A finished picture appears in its place; nothing else of the grid is drawn again.
    expect(page.locator("#cell-7 img")).to_be_visible()
    expect(page.locator(".cell img")).to_have_count(1)
    expect(page.locator(".grid-scroll[data-kept]")).to_have_count(1)
    expect(page).to_have_title(re.compile(r"^\d+ % · 4 contents × 2 styles"))
    for _ in range(5):
        studio.work()
    expect(page.locator("#status")).to_have_text("The dataset is ready.")
    expect(page.locator(".cell img")).to_have_count(6)
    found += look(page, "a dataset that is ready")
    page.locator("#cell-7").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("c0.png × s0.png")
    found += look(page, "a picture of a dataset")
    page.go_back()

    page.get_by_role("link", name="New experiment…").click()
    page.get_by_role("radio", name=re.compile("^Quick look")).check()
    page.locator("summary", has_text="All parameters").click()
    expect(page.locator("[name='training.epochs']")).to_have_value("20")
    expect(page.locator("#seeds")).to_have_value("1")
    for name in ("random", "content", "style", "generator"):
        page.locator(f"[name=splits][value={name}]").uncheck()
    for name, value in {"training.hidden": "16", "training.output": "8", "resamples": "100", "permutations": "0"}.items():
        page.locator(f"[name='{name}']").fill(value)
    found += look(page, "the form of an experiment")
    page.get_by_role("button", name="Run the experiment").click()
    expect(page.locator(".stage")).to_have_text("Waiting for its turn")
    found += look(page, "an experiment that waits")
    with studying(studio) as go:
        expect(page.locator("#status")).to_have_text("The experiment has begun.")
        # The curves move with each event; here by the test's own, since so small a training is quicker than an eye.
        row = studio.services.experiments.get(owner_of(page, studio), page.url.split("/")[-1])
        for epochs in (3, 6):
            studio.events.publish(row.id, learning(row, epochs).model_dump_json())
            expect(page.locator(".live-curves polyline").first).to_have_attribute("points", re.compile(rf"^\S+( \S+){{{epochs - 1}}}$"))
        expect(page.locator(".stage")).to_have_text(re.compile("^Training the contrastive stage"))
        expect(page.locator(".live-curves .help")).to_contain_text("Contents and styles held out, seed 0: epoch 6 of 20")
        found += look(page, "an experiment that learns")
        go.set()
        page.locator(".report-lead").wait_for(timeout=90_000)
    expect(page.locator("#status")).to_have_text(re.compile(r"^The experiment is finished\. AUROC [\d.]+"))
    found += look(page, "a report")
    assert found == []
    # One stream for the dataset, then one for the experiment; the reload of the dataset's page has none.
    assert [url.split("/")[-3] for url in streams] == ["datasets", "experiments"]

    # The honesty switch shows one split at a time, by keyboard too.
    shown = page.locator(".report-split:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_have_attribute("id", "split-content_style")
    page.locator("#show-content_style").focus()
    page.keyboard.press("ArrowLeft")
    expect(shown).to_have_attribute("id", "split-train_is_test")
    with page.expect_download() as download:
        page.get_by_role("link", name="HTML report").click()
    assert "report-lead" in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Lab", exact=True).first.click()
    expect(page.locator(".lab-figures")).to_contain_text("AUROC")
    assert look(page, "the Lab with a dataset and an experiment") == []
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_pile_of_pictures_grows_shrinks_and_is_counted(page: Page, pictures: dict[str, list[Path]]) -> None:
    page.goto("/lab/datasets/new")
    content, said = page.locator("#content"), page.locator("#content-said")
    content.set_input_files(pictures["content"][:2])
    content.set_input_files(pictures["content"][1:3])
    expect(said).to_have_text("3 chosen")
    page.locator("[name=style_sample]").nth(0).check()
    page.locator("[name=style_sample]").nth(3).check()
    expect(page.locator("#count")).to_have_text("3 × 2: 6 pictures to be stylised.")
    page.get_by_role("checkbox", name=re.compile("^Sketch")).check()
    page.locator("#strengths").fill("0.5, 2")
    # Instant has no strength: 6 · (1 + 2).
    expect(page.locator("#count")).to_have_text("3 × 2 × 3: 18 pictures to be stylised.")
    page.get_by_role("button", name="Remove c1.png").click()
    expect(said).to_have_text("2 chosen")
    assert content.evaluate("file => [...file.files].map(one => one.name)") == ["c0.png", "c2.png"]
    page.get_by_role("button", name="Remove all contents").click()
    expect(page.locator("#count")).to_have_text("")
    assert look(page, "the form of a dataset") == []


def test_what_is_wrong_with_a_dataset_stands_at_its_field(page: Page) -> None:
    page.goto("/lab/datasets/new")
    page.locator("[name=content_sample]").first.check()
    page.locator("[name=style_sample]").first.check()
    page.locator("#size").fill("7")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.locator("#size-error")).to_contain_text("64")
    expect(page.locator("#size")).to_be_focused()
    expect(page.locator("[name=content_sample]").first).to_be_checked()
    assert look(page, "a refused dataset") == []


def test_the_hypothesis_is_asked_and_answered(page: Page, studio: Studio, tmp_path: Path) -> None:
    archive = tmp_path / "animals.zip"
    archive.write_bytes(labelled(studio).getvalue())
    page.goto("/lab/hypotheses/new")
    found = look(page, "a hypothesis without pictures")
    page.locator("#archive").set_input_files(archive)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name="Test the hypothesis on it").click()
    found += look(page, "the form of a hypothesis")
    page.locator("summary", has_text="All parameters").click()
    for name, value in SMALL.items():
        page.locator(f"#{name}").fill(value)
    page.get_by_role("button", name="Test the hypothesis", exact=True).click()
    expect(page.locator(".stage")).to_have_text("Waiting for its turn")
    found += look(page, "a hypothesis that waits")
    try_out(studio)
    expect(page.locator("#status")).to_have_text(re.compile(r"^The study is finished\. \w"))
    found += look(page, "a hypothesis's grid")
    assert found == []
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV report").click()
    assert Path(download.value.path()).read_text().startswith("part,trial,augmentation,contrast")
