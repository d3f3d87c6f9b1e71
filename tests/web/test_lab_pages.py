"""The Lab without JavaScript: every step a plain form and a plain answer. Only painter and network are played."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.jobs.models import State
from app.lab.experiment_events import Studying, TrainedRun, TrainPoint, snapshot
from app.web.dataset_view import ROWS, Cell, DatasetView, changed
from app.web.dataset_view import view as dataset_view
from app.web.experiment_view import view
from tests.lab.conftest import png, zip_of
from tests.web.conftest import Studio
from tests.web.test_api_lab_datasets import make, paint_all, several, wait
from tests.web.test_api_lab_experiments import study

QUICK = {
    "preset": "quick",
    "shown_preset": "quick",
    "seeds": "1",
    "resamples": "100",
    "permutations": "0",
    "splits": ["train_is_test", "content_style"],
    "training.epochs": "4",
    "training.hidden": "16",
    "training.output": "8",
}


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def error(page: str, place: str) -> str:
    found = re.search(rf'id="{place}-error"[^>]*>([^<]*)<', page)
    assert found, place
    return found[1].strip()


def made(studio: Studio, contents: int = 2, styles: int = 2, **fields: Any) -> str:
    dataset_id = make(studio, several(contents, styles), **fields)
    wait(studio, dataset_id, "making")
    paint_all(studio, contents * styles)
    wait(studio, dataset_id, "ready")
    return dataset_id


def run(studio: Studio, dataset_id: str, **fields: Any) -> str:
    answer = studio.client.post("/lab/experiments", data={"dataset": dataset_id, **QUICK, **fields})
    assert answer.status_code == 303, text(answer.text)
    study(studio)
    address: str = answer.headers["location"]
    return address


def test_a_newcomer_begins_with_one_click(studio: Studio) -> None:
    page = studio.client.get("/lab").text
    form = re.search(r'<form method="post" action="/lab/datasets".*?</form>', page, re.DOTALL)
    assert form
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0]):
        fields.setdefault(name, []).append(value)
    assert len(fields["content_sample"]) == len(studio.services.samples.of("content"))
    fields["content_sample"], fields["style_sample"] = fields["content_sample"][:2], fields["style_sample"][:2]
    posted = studio.client.post("/lab/datasets", data=fields)
    assert posted.status_code == 303
    wait(studio, posted.headers["location"].split("/")[-1], "making")
    live = studio.client.get(posted.headers["location"]).text
    assert '<noscript><meta http-equiv="refresh"' in live and "0 of 4 pictures are stylised" in text(live)
    paint_all(studio, 4)
    done = studio.client.get(posted.headers["location"]).text
    assert 'http-equiv="refresh"' not in done and "sse-connect" not in done
    assert "2 contents × 2 styles: 4 stylised" in text(done)
    one_click = re.findall(r'name="dataset" value="(\w+)">\s*<input type="hidden" name="preset" value="(\w+)"', done)
    assert [preset for _, preset in one_click] == ["default", "paper"]
    # Not the newcomer's first page any more.
    assert "Begin with the samples" not in studio.client.get("/lab").text


def test_the_grid_has_contents_downwards_and_styles_across(studio: Studio) -> None:
    page = studio.client.get(f"/lab/datasets/{made(studio, 3, 2)}").text
    body = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    assert [re.findall(r"<span>(\w\d)\.png</span>", row) for row in body] == [["s0", "s1"], ["c0"], ["c1"], ["c2"]]
    # Pictures 1 to 5 came in, 6 to 11 are made content by content.
    assert [re.findall(r'id="cell-(\d+)"', row) for row in body[1:]] == [["6", "7"], ["8", "9"], ["10", "11"]]
    small = re.findall(r'<img src="([^"]+)" alt="c0.png × s0.png"', page)
    assert len(small) == 1 and studio.client.get(small[0]).headers["content-type"] == "image/jpeg"


def test_a_picture_is_shown_large_with_what_it_was_made_from(studio: Studio) -> None:
    dataset_id = made(studio, 2, 2, preset="fast", strengths="2")
    page = studio.client.get(f"/lab/datasets/{dataset_id}/pictures/8").text
    assert re.findall(r'href="/lab/datasets/\w+/pictures/(\d+)"', page) == ["2", "4", "7"]
    assert "fast strength 2" in page and "c1.png × s1.png" in page
    assert studio.client.get(f"/api/lab/datasets/{dataset_id}/pictures/8").headers["content-type"] == "image/png"
    assert studio.client.get(f"/lab/datasets/{dataset_id}/pictures/9").status_code == 404


def test_a_large_grid_comes_in_parts(studio: Studio) -> None:
    contents = ROWS + 3
    dataset_id = make(studio, several(contents, 1))
    wait(studio, dataset_id, "making")
    first = studio.client.get(f"/lab/datasets/{dataset_id}").text
    assert len(re.findall(r'<th scope="row">', first)) == ROWS
    rest = re.search(r'href="(/lab/datasets/\w+\?first=\d+)">More contents', first)
    assert rest
    second = studio.client.get(rest[1]).text
    assert len(re.findall(r'<th scope="row">', second)) == 3 and "More contents" not in second and "?first=0" in second


def test_what_was_left_out_and_what_looks_alike_is_told(studio: Studio) -> None:
    files = [*several(2, 1), ("content", ("notes.png", b"not a picture", "image/png"))]
    files.append(("content", ("again.png", png(0, 96, 80), "image/png")))
    dataset_id = make(studio, files)
    wait(studio, dataset_id, "making")
    page = text(studio.client.get(f"/lab/datasets/{dataset_id}").text)
    assert "1 file was left out" in page and "notes.png :" in page
    assert "1 pair looks alike" in page and re.search(r"c0\.png and again\.png", page)


def test_cancel_go_on_delete_and_undo(studio: Studio) -> None:
    dataset_id = make(studio)
    wait(studio, dataset_id, "making")
    paint_all(studio, 1)
    address = f"/lab/datasets/{dataset_id}"
    assert studio.client.post(f"{address}/cancel").headers["location"] == address
    page = text(studio.client.get(address).text)
    assert "Cancelled" in page and "3 pictures were not stylised." in page and "Go on" in page
    studio.client.post(f"{address}/resume")
    assert "1 of 4 pictures are stylised" in text(studio.client.get(address).text)
    paint_all(studio, 3)
    deleted = studio.client.post(f"{address}/delete")
    lab = studio.client.get(deleted.headers["location"]).text
    assert "Deleted: 2 contents × 2 styles" in lab and studio.client.get(address).status_code == 404
    undo = re.search(r'action="(/lab/datasets/\w+/restore)"', lab)
    assert undo and studio.client.post(undo[1]).headers["location"] == address
    assert "4 stylised" in text(studio.client.get(address).text)
    assert studio.client.get("/lab?deleted=" + "0" * 32).status_code == 200


def test_a_labelled_dataset_shows_its_classes(studio: Studio) -> None:
    files = {f"photo/{klass}/{n}.png": png(10 * place + n) for place, klass in enumerate(("dog", "house")) for n in range(10)}
    dataset_id = make(studio, [("archive", ("animals.zip", zip_of(files).getvalue(), "application/zip"))], kind="labelled")
    wait(studio, dataset_id, "ready")
    page = studio.client.get(f"/lab/datasets/{dataset_id}").text
    assert "20 pictures, 2 classes, 1 domain" in text(page)
    assert "10 pictures, the first 8 of them" in text(page) and page.count('class="cell ') == 16
    assert "/lab/experiments/new?dataset" not in page
    assert text(studio.client.get("/lab/experiments/new").text).count("An experiment needs a dataset") == 1
    # Its card has pictures although none was stylised.
    cards = re.findall(r'<img src="(/api/lab/datasets/[^"]+)"', studio.client.get("/lab").text)
    assert cards and all(studio.client.get(one).status_code == 200 for one in cards)


def test_labelled_folders_of_originals_and_stylised_pictures_are_for_experiments(studio: Studio) -> None:
    files = {f"{klass}/{n}.png": png(10 * place + n) for place, klass in enumerate(("original", "stylised")) for n in range(2)}
    dataset_id = make(studio, [("archive", ("mine.zip", zip_of(files).getvalue(), "application/zip"))], kind="labelled")
    wait(studio, dataset_id, "ready")
    page = studio.client.get(f"/lab/datasets/{dataset_id}").text
    assert f"/lab/experiments/new?dataset={dataset_id}" in page and "/lab/hypotheses" not in page
    assert f'<option value="{dataset_id}"' in studio.client.get("/lab/experiments/new").text
    assert dataset_id not in studio.client.get("/lab/hypotheses/new").text


def test_a_dataset_that_failed_says_why(studio: Studio) -> None:
    files = [(role, (f"{role}.png", b"not a picture", "image/png")) for role in ("content", "style")]
    dataset_id = make(studio, files)
    wait(studio, dataset_id, "failed")
    page = studio.client.get(f"/lab/datasets/{dataset_id}").text
    assert "None of the pictures could be read" in text(page) and "<table" not in page
    assert "Run it honestly" not in page and "Go on" not in page
    assert studio.client.get("/lab").status_code == 200


def test_a_refused_dataset_keeps_what_was_chosen(studio: Studio) -> None:
    sample = studio.services.samples.of("style")[1].name
    answer = studio.client.post(
        "/lab/datasets",
        files=[("content", ("c.png", png(1), "image/png"))],
        data={"kind": "stylised", "style_sample": sample, "preset": ["fast", "fine"], "size": "7", "strengths": "1, many", "name": "Mine"},
    )
    assert answer.status_code == 422
    assert "from 64 to 4096" in error(answer.text, "size")
    assert "numbers with commas" in error(answer.text, "strengths")
    assert re.search(rf'name="style_sample" value="{sample}" checked', answer.text)
    assert re.findall(r'name="preset" value="(\w+)"[^>]* checked', answer.text) == ["fast", "fine"]
    assert 'value="Mine"' in answer.text and 'value="7"' in answer.text
    nothing = studio.client.post("/lab/datasets", data={"kind": "stylised"})
    assert nothing.status_code == 422 and "Choose some pictures" in error(nothing.text, "archive")


def test_times_are_told_only_once_measured(studio: Studio) -> None:
    assert "Measured here" not in studio.client.get("/lab/datasets/new").text
    made(studio, 1, 1)
    measured = re.findall(r"(\w+): [^<]*Measured here: [\d.]+ s a picture at (\d+) px", text(studio.client.get("/lab/datasets/new").text))
    assert [side for _, side in measured] == ["64"]


def test_finished_pictures_can_be_taken_over(studio: Studio) -> None:
    job_id = studio.finished()
    page = studio.client.get("/lab/datasets/new").text
    assert f'name="job" value="{job_id}"' in page
    posted = studio.client.post("/lab/datasets", data={"kind": "stylised", "job": job_id})
    detail = wait(studio, posted.headers["location"].split("/")[-1], "ready")
    assert (detail["contents"], detail["styles"], detail["stylised"]["done"]) == (1, 1, 1)
    assert len(re.findall(r'class="cell cell-done"', studio.client.get(posted.headers["location"]).text)) == 1


def test_from_a_dataset_to_a_report_and_what_follows(studio: Studio) -> None:
    dataset_id = made(studio, 3, 2, name="Small")
    posted = studio.client.post("/lab/experiments", data={"dataset": dataset_id, **QUICK})
    address = posted.headers["location"]
    waiting = studio.client.get(address).text
    assert "Waiting for its turn" in waiting and 'http-equiv="refresh"' in waiting
    assert re.search(r"Place in the queue</dt><dd>1<", waiting)
    study(studio)
    page = studio.client.get(address).text
    assert 'http-equiv="refresh"' not in page
    for split in ("train_is_test", "content_style"):
        assert f'id="split-{split}"' in page and f'id="show-{split}"' in page
    assert 'id="split-random"' not in page
    for kind in ("html", "json", "csv"):
        link = re.search(rf'href="([^"]+/report\.{kind})"', page)
        assert link and studio.client.get(link[1]).status_code == 200
    # The list shows the figure of the report.
    figure = re.search(r"AUROC, contents and styles held out</dt><dd>([\d.]+)", studio.client.get("/lab").text)
    report = studio.client.get(f"/api{address}/report.json").json()
    split = next(one for one in report["splits"] if one["name"] == "content_style")
    assert figure and float(figure[1]) == pytest.approx(split["test"]["auroc"]["value"], abs=5e-4)
    assert "Quick look: Small" in text(studio.client.get(f"/lab/datasets/{dataset_id}").text)

    shuffled = studio.client.post(f"{address}/shuffle").headers["location"]
    study(studio)
    assert "Quick look, labels shuffled" in studio.client.get(shuffled).text
    assert f"{shuffled}/shuffle" not in studio.client.get(shuffled).text
    ids = [one.split("/")[-1] for one in (address, shuffled)]
    compared = studio.client.get("/lab/compare", params={"first": ids[0], "second": ids[1]}).text
    assert compared.count("<table>") == 2 and "divided" in text(compared)
    assert re.search(rf'<option value="{ids[1]}" selected>', compared)
    assert "Quick look: Small" in compared and "Quick look, labels shuffled: Small is" in text(compared)

    assert studio.client.post(f"{address}/use").headers["location"] == "/lab#detectors-title"
    lab = studio.client.get("/lab").text
    assert "/lab/detectors/shipped/use" in lab and "Its experiment" in lab
    studio.client.post("/lab/detectors/shipped/use")
    lab = studio.client.get("/lab").text
    detector = re.search(r'action="(/lab/detectors/\w{32})/use"', lab)
    assert detector and "/lab/detectors/shipped/use" not in lab
    assert studio.client.post(f"{detector[1]}/use").status_code == 303
    studio.client.post(f"{detector[1]}/delete")
    assert "Its experiment" not in studio.client.get("/lab").text

    again = studio.client.get(f"/lab/experiments/new?from={ids[1]}").text
    assert re.search(r'id="shuffle_labels"[^>]* checked', again) and re.search(r'value="quick"[^>]* checked', again)
    assert re.search(rf'<option value="{dataset_id}" selected>', again)
    assert re.search(r'id="training-epochs"[^>]* value="4"', again)

    deleted = studio.client.post(f"{address}/delete").headers["location"]
    lab = studio.client.get(deleted).text
    assert "Deleted: Quick look: Small" in lab
    restored = studio.client.post(re.search(r'action="(/lab/experiments/\w+/restore)"', lab)[1])  # type: ignore[index]
    assert restored.headers["location"] == address


def test_an_experiment_is_cancelled_and_failed_in_words(studio: Studio) -> None:
    dataset_id = made(studio, 2, 1)
    address = studio.client.post("/lab/experiments", data={"dataset": dataset_id, **QUICK}).headers["location"]
    studio.client.post(f"{address}/cancel")
    page = text(studio.client.get(address).text)
    assert "It was called off, so there is no report." in page and "Compare…" not in page
    failed = run(studio, make_one(studio))
    page = text(studio.client.get(failed).text)
    assert "It could not be finished" in page and "at least two originals" in page


def make_one(studio: Studio) -> str:
    """A dataset of a single content, of which no experiment can be made."""
    return made(studio, 1, 1)


def test_a_refused_experiment_names_its_fields_and_keeps_the_rest(studio: Studio) -> None:
    dataset_id = made(studio, 2, 1)
    wrong = {**QUICK, "seeds": "99", "training.objective": "supcon", "training.pairs": "paper_pairs", "splits": [], "test_share": "0.2"}
    answer = studio.client.post("/lab/experiments", data={"dataset": dataset_id, **wrong})
    assert answer.status_code == 422
    assert "50" in error(answer.text, "seeds") and "labels" in error(answer.text, "training-pairs")
    assert error(answer.text, "splits")
    assert re.search(r'id="test_share"[^>]* value="0.2"', answer.text)
    assert re.findall(r'<li><a href="#([\w-]+)">', answer.text) == ["training-pairs", "splits", "seeds"]
    assert '<details class="fold options" open>' in answer.text
    lost = studio.client.post("/lab/experiments", data={**QUICK, "dataset": "0" * 32})
    assert lost.status_code == 404 and "no such dataset" in error(lost.text, "dataset")


def test_pages_of_others_are_not_there(studio: Studio) -> None:
    dataset_id = made(studio, 2, 1)
    address = run(studio, dataset_id)
    stranger = studio.new_client()
    stranger.get("/lab")
    for path in (f"/lab/datasets/{dataset_id}", f"/lab/datasets/{dataset_id}/stream", address, f"{address}/stream"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"/lab/datasets/{dataset_id}/delete").status_code == 404
    assert stranger.get(f"/lab/experiments/new?from={address.split('/')[-1]}").status_code == 404


def test_streams_end_with_everything(studio: Studio) -> None:
    dataset_id = made(studio, 2, 1)
    address = run(studio, dataset_id)
    with studio.client.stream("GET", f"{address}/stream") as answer:
        told = "".join(answer.iter_text())
    assert re.findall(r"^event: (\w+)", told, re.MULTILINE) == ["study", "ended"]
    assert "report-lead" in told
    with studio.client.stream("GET", f"/lab/datasets/{dataset_id}/stream") as answer:
        told = "".join(answer.iter_text())
    assert re.findall(r"^event: (\w+)", told, re.MULTILINE) == ["dataset", "grid", "cells", "ended"]
    assert told.count("hx-swap-oob") == 2


def test_only_cells_that_changed_are_swapped(studio: Studio) -> None:
    dataset_id = make(studio, several(2, 2))
    wait(studio, dataset_id, "making")
    owner = _owner(studio)

    def shown() -> DatasetView:
        return dataset_view(studio.services.datasets.detail(owner, dataset_id), studio.services.datasets.pictures(owner, dataset_id))

    before: dict[int, Cell] = {one.number: one for one in shown().shown}
    assert changed(before, shown()) == []
    paint_all(studio, 1)
    assert [(one.number, one.state) for one in changed(before, shown())] == [(5, State.DONE)]


def _owner(studio: Studio) -> str:
    owner = studio.services.signer.read(studio.client.cookies["pentimento_owner"])
    assert owner
    return owner


def test_live_curves_fill_the_whole_training(studio: Studio) -> None:
    job = _job(studio)
    points = [
        TrainPoint(
            epoch=n, loss=4.0 / n, alignment=1.0 / n, uniformity=-n / 2, effective_rank=3.0 + n, retrieval=n / 10, held_out_loss=4.2 / n
        )
        for n in range(1, 5)
    ]
    training = TrainedRun(split="content_style", seed=2, epochs=8, curve=points)
    job.progress = Studying(stage="train", percent=40, split="content_style", seed=2, training=training).model_dump(mode="json")
    job.state = State.RUNNING
    shown = view(job, snapshot(job))
    assert [one.title for one in shown.curves] == ["Loss", "Alignment", "Invariance against detection", "Uniformity", "Effective rank"]
    frame = shown.curves[0].frame
    # Four of eight epochs: half of the width.
    last = float(shown.curves[0].series[0].line.split()[-1].split(",")[0])
    assert last == pytest.approx((frame.left + frame.right) / 2, abs=0.1)
    assert [series.title for series in shown.curves[0].series] == ["training", "held out"]
    assert shown.training_of == "Contents and styles held out, seed 2: epoch 4 of 8"
    assert shown.where == "Contents and styles held out, seed 2"


def _job(studio: Studio) -> Any:
    dataset_id = made(studio, 2, 1)
    address = studio.client.post("/lab/experiments", data={"dataset": dataset_id, **QUICK}).headers["location"]
    return studio.services.experiments.get(_owner(studio), address.split("/")[-1])
