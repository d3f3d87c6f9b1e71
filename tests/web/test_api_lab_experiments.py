"""Experiments through the API: real evaluation and real training; only the network that describes pictures is played."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.core.features import FeatureSet
from app.core.report import Report
from app.infra.blobs import Blobs
from app.jobs.models import EXPERIMENT
from app.lab.detectors import active
from tests.lab.conftest import png, zip_of
from tests.web.conftest import Studio
from tests.web.test_api_lab_datasets import make, paint_all, wait
from workers.style.engine import Engine
from workers.tasks import experiment
from workers.verdict.detector import from_bytes

LAB = "/api/lab"
QUICK = {
    "seeds": 1,
    "splits": ["train_is_test", "content_style"],
    "resamples": 100,
    "permutations": 10,
    "training": {"epochs": 4, "hidden": 16, "output": 8},
}


class Describer:
    """Features that a fixed random projection takes of a small copy of the picture."""

    precision = "float32"

    def stream(
        self, pictures: Iterator[NDArray[np.uint8]], feature_set: FeatureSet, *, on_progress: Callable[[int], None] | None = None
    ) -> Iterator[NDArray[np.float32]]:
        projection = np.random.default_rng(0).standard_normal((192, feature_set.length)).astype(np.float32)
        for number, pixels in enumerate(pictures, start=1):
            small = np.asarray(Image.fromarray(pixels).resize((8, 8), Image.Resampling.BOX), np.float32).ravel() / 255
            yield np.tanh(small @ projection / 10)
            if on_progress:
                on_progress(number)


def no_engine() -> Engine:
    raise AssertionError("nothing is stylised here")


@pytest.fixture
def dataset(studio: Studio) -> str:
    """Three contents in two styles, made."""
    files = [("content", (f"c{n}.png", png(n), "image/png")) for n in range(3)]
    files += [("style", (f"s{n}.png", png(50 + n), "image/png")) for n in range(2)]
    dataset_id = make(studio, files, name="Small")
    wait(studio, dataset_id, "making")
    paint_all(studio, 6)
    return dataset_id


def order(studio: Studio, dataset: str, preset: str = "default", **spec: Any) -> str:
    answer = studio.client.post(f"{LAB}/experiments", json={"dataset": dataset, "preset": preset, "spec": {**QUICK, **spec}})
    assert answer.status_code == 202, answer.text
    experiment_id: str = answer.json()["id"]
    return experiment_id


def study(studio: Studio) -> None:
    assert experiment.run(studio.runtime, Describer, no_engine)


def test_from_dataset_to_report(studio: Studio, dataset: str) -> None:
    experiment_id = order(studio, dataset)
    waiting = studio.client.get(f"{LAB}/experiments/{experiment_id}").json()
    assert (waiting["state"], waiting["queue_position"], waiting["dataset_name"], waiting["study"]) == ("queued", 1, "Small", "evaluation")
    assert studio.client.get(waiting["links"]["report"]).status_code == 409
    study(studio)
    with studio.client.stream("GET", f"{LAB}/experiments/{experiment_id}/events") as answer:
        events = [json.loads(line.removeprefix("data:")) for line in answer.iter_lines() if line.startswith("data:")]
    last = events[-1]
    assert (last["state"], last["percent"], last["described"], last["pictures"], last["summary"]["headline"]) == (
        "done",
        100.0,
        9,
        9,
        "content_style",
    )
    assert [point["epoch"] for point in last["training"]["curve"]] == [1, 2, 3, 4]
    assert {"loss", "alignment", "uniformity", "effective_rank", "retrieval", "held_out_loss"} <= set(last["training"]["curve"][0])

    report = Report.model_validate_json(studio.client.get(f"{LAB}/experiments/{experiment_id}/report.json").content)
    assert [split.name for split in report.splits] == ["train_is_test", "content_style"]
    assert sorted({picture.content for picture in report.pictures}) == ["c0.png", "c1.png", "c2.png"]
    assert sum(picture.label for picture in report.pictures) == 6
    assert {picture.generator for picture in report.pictures if picture.label} == {"instant"}
    page = studio.client.get(f"{LAB}/experiments/{experiment_id}/report.html")
    assert page.headers["content-disposition"].endswith('.html"')
    assert "Small: Honest" in page.text
    rows = list(csv.DictReader(io.StringIO(studio.client.get(f"{LAB}/experiments/{experiment_id}/report.csv").text)))
    told = next(
        float(row["value"])
        for row in rows
        if (row["split"], row["seed"], row["part"], row["metric"]) == ("content_style", "", "test", "auroc")
    )
    assert told == pytest.approx(report.split("content_style").test["auroc"].value)
    scores = list(csv.DictReader(io.StringIO(studio.client.get(f"{LAB}/experiments/{experiment_id}/scores.csv").text)))
    assert len(scores) == sum(len(run.test_pictures) for split in report.splits for run in split.runs)
    assert studio.client.get("/api/jobs").json()["jobs"] == []


def test_shuffled_labels_and_a_comparison(studio: Studio, dataset: str) -> None:
    first = order(studio, dataset)
    second = studio.client.post(f"{LAB}/experiments/{first}/shuffle").json()["id"]
    assert studio.client.get(f"{LAB}/experiments/{second}").json()["spec"]["shuffle_labels"] is True
    assert studio.client.post(f"{LAB}/experiments/{second}/shuffle").status_code == 409
    assert studio.client.get(f"{LAB}/compare", params={"first": first, "second": second}).status_code == 409
    study(studio)
    study(studio)
    compared = studio.client.get(f"{LAB}/compare", params={"first": first, "second": second}).json()
    assert [split["name"] for split in compared["splits"]] == ["train_is_test", "content_style"]
    assert [one["id"] for one in studio.client.get(f"{LAB}/experiments").json()["experiments"]] == [second, first]


def test_a_classifier_on_features_becomes_the_detector(studio: Studio, dataset: str) -> None:
    experiment_id = order(studio, dataset, training={"objective": "none"})
    assert studio.client.post(f"{LAB}/experiments/{experiment_id}/detector").status_code == 409
    study(studio)
    kept = studio.client.post(f"{LAB}/experiments/{experiment_id}/detector")
    assert (kept.status_code, kept.json()["active"], kept.json()["experiment"]) == (201, True, experiment_id)
    listed = studio.client.get(f"{LAB}/detectors").json()
    assert (listed["shipped"], [one["id"] for one in listed["detectors"]]) == (False, [kept.json()["id"]])
    assert studio.client.post(f"{LAB}/experiments/{experiment_id}/detector").json()["id"] == kept.json()["id"], "the same, not a second one"
    data = studio.client.get(f"{LAB}/detectors/{kept.json()['id']}/file").content
    assert from_bytes(data).digest == kept.json()["sha256"]

    assert studio.client.post(f"{LAB}/detectors/shipped/use").status_code == 204
    assert studio.client.get(f"{LAB}/detectors").json()["shipped"] is True
    assert studio.client.post(f"{LAB}/detectors/{kept.json()['id']}/use").json()["active"] is True
    with studio.runtime.clients.database.read() as session:
        owner = studio.services.signer.read(studio.client.cookies["pentimento_owner"])
        assert owner is not None
        mine = active(session, owner)
        assert mine is not None and mine.id == kept.json()["id"]
        assert active(session, "f" * 32) is None
    stranger = studio.new_client()
    make(studio, client=stranger)
    assert stranger.post(f"{LAB}/detectors/{kept.json()['id']}/use").status_code == 404
    assert studio.client.delete(f"{LAB}/detectors/{kept.json()['id']}").status_code == 200
    assert studio.client.get(f"{LAB}/detectors").json() == {"shipped": True, "detectors": []}


def test_pressed_twice_at_once_it_becomes_one_detector(studio: Studio, dataset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment_id = order(studio, dataset, training={"objective": "none"})
    study(studio)
    owner = studio.services.signer.read(studio.client.cookies["pentimento_owner"])
    assert owner is not None
    detectors, put = studio.services.detectors, Blobs.put
    others: list[str] = []

    def put_after_the_other(blobs: Blobs, key: str, data: bytes) -> None:
        # The first has looked and found none; the second comes and goes before the first commits.
        monkeypatch.setattr(Blobs, "put", put)
        others.append(detectors.keep(owner, experiment_id).id)
        blobs.put(key, data)

    monkeypatch.setattr(Blobs, "put", put_after_the_other)
    kept = detectors.keep(owner, experiment_id)
    assert [kept.id] == others == [one.id for one in detectors.listed(owner)]
    assert kept.active
    root = studio.services.blobs.local_root
    assert root is not None
    assert len(list((root / "detectors").iterdir())) == 1, "the second file is gone too"
    assert detectors.keep(owner, experiment_id).id == kept.id


def test_a_classifier_on_embeddings_is_no_detector_and_says_what_to_do(studio: Studio, dataset: str) -> None:
    experiment_id = order(studio, dataset, classify="embedding")
    study(studio)
    refused = studio.client.post(f"{LAB}/experiments/{experiment_id}/detector")
    assert refused.status_code == 422
    assert "Run the experiment again with the features classified" in refused.json()["detail"]


WRONG: list[tuple[dict[str, Any], int, list[str]]] = [
    ({"preset": "none"}, 422, ["preset"]),
    ({"spec": {"seeds": 0}}, 422, ["seeds"]),
    ({"spec": {"training": {"epochs": "many"}}}, 422, ["training.epochs"]),
    ({"spec": {"training": {"objective": "supcon", "pairs": "paper_pairs"}}}, 422, ["training.pairs"]),
    ({"spec": {"training": {"objective": "none"}, "classify": "both"}}, 422, ["classify"]),
    ({"spec": {"nothing": 1}}, 422, ["nothing"]),
    ({"spec": {"seeds": 0, "test_share": 2}}, 422, ["test_share", "seeds"]),
    ({"dataset": "0" * 32}, 404, []),
    ({"extra": 1}, 422, ["extra"]),
]


def test_what_is_wrong_is_said_at_its_field(studio: Studio) -> None:
    dataset = make(studio)
    for body, status, fields in WRONG:
        answer = studio.client.post(f"{LAB}/experiments", json={"dataset": dataset, **body})
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (status, fields), answer.text


def test_cancel_stop_and_delete(studio: Studio, dataset: str) -> None:
    cancelled, deleted = order(studio, dataset), order(studio, dataset)
    assert studio.client.post(f"{LAB}/experiments/{cancelled}/cancel").json()["state"] == "cancelled"
    assert studio.client.post(f"{LAB}/experiments/{cancelled}/stop").status_code == 409
    assert studio.client.get(f"{LAB}/experiments/{cancelled}/report.json").status_code == 409
    assert studio.client.delete(f"{LAB}/experiments/{deleted}").status_code == 200
    assert studio.client.get(f"{LAB}/experiments/{deleted}").status_code == 404
    assert not experiment.run(studio.runtime, Describer, no_engine), "neither is begun"
    assert studio.client.post(f"{LAB}/experiments/{deleted}/restore").json()["state"] == "cancelled"
    stranger = studio.new_client()
    make(studio, client=stranger)
    for method, path in (("get", ""), ("get", "/events"), ("get", "/report.json"), ("post", "/stop"), ("post", "/shuffle"), ("delete", "")):
        assert stranger.request(method, f"{LAB}/experiments/{deleted}{path}").status_code == 404


def test_limits(studio: Studio, dataset: str) -> None:
    for _ in range(studio.settings.max_experiments):
        order(studio, dataset)
    answer = studio.client.post(f"{LAB}/experiments", json={"dataset": dataset})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")


def test_one_stylised_picture_only_fails_in_words(studio: Studio) -> None:
    pictures = {**{f"original/{n}.png": png(n) for n in range(3)}, "stylised/0.png": png(40)}
    files = [("archive", ("a.zip", zip_of(pictures).getvalue(), "application/zip"))]
    dataset_id = make(studio, files, kind="labelled")
    wait(studio, dataset_id, "ready")
    experiment_id = order(studio, dataset_id)
    study(studio)
    ended = studio.client.get(f"{LAB}/experiments/{experiment_id}").json()
    assert (ended["state"], ended["error"]) == (
        "failed",
        "An experiment needs at least two originals and two stylised pictures. Received 3 original, 1 stylised.",
    )


def test_one_style_only_leaves_the_splits_by_style_out_and_says_so(studio: Studio) -> None:
    files = [("content", (f"c{n}.png", png(n), "image/png")) for n in range(4)] + [("style", ("s.png", png(50), "image/png"))]
    dataset_id = make(studio, files)
    wait(studio, dataset_id, "making")
    paint_all(studio, 4)
    experiment_id = order(studio, dataset_id, splits=["content", "style", "content_style", "generator"])
    study(studio)
    summary = studio.client.get(f"{LAB}/experiments/{experiment_id}").json()["summary"]
    assert (summary["headline"], [split["name"] for split in summary["splits"]]) == ("content", ["content"])
    assert set(summary["left_out"]) == {"style", "content_style", "generator"}
    assert "at least two are needed. Received 1." in summary["left_out"]["style"]


def test_labelled_folders_of_originals_and_stylised_pictures_are_taken_too(studio: Studio) -> None:
    pictures = {f"adain/{klass}/{n}.png": png(n + 40 * (klass == "stylised")) for klass in ("original", "stylised") for n in range(4)}
    files = [("archive", ("a.zip", zip_of(pictures).getvalue(), "application/zip"))]
    dataset_id = make(studio, files, kind="labelled")
    wait(studio, dataset_id, "ready")
    experiment_id = order(studio, dataset_id, splits=["content"])
    study(studio)
    report = Report.model_validate_json(studio.client.get(f"{LAB}/experiments/{experiment_id}/report.json").content)
    assert {(picture.label, picture.content, picture.generator) for picture in report.pictures} == {
        (label, str(n), "adain" if label else "") for label in (0, 1) for n in range(4)
    }


def test_other_classes_are_sent_to_the_hypothesis(studio: Studio) -> None:
    files = [
        ("archive", ("a.zip", zip_of({f"{klass}/0.png": png(n) for n, klass in enumerate(("cat", "dog"))}).getvalue(), "application/zip"))
    ]
    dataset_id = make(studio, files, kind="labelled")
    wait(studio, dataset_id, "ready")
    experiment_id = order(studio, dataset_id)
    study(studio)
    assert "other classes are for a hypothesis" in studio.client.get(f"{LAB}/experiments/{experiment_id}").json()["error"]
    assert studio.services.experiments.kind == EXPERIMENT
