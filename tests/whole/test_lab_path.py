"""The Lab through the API against the running stack: from uploads to a report and a detector, with the real networks."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from app.core.report import Report

SAMPLES = Path(__file__).parents[2] / "static" / "samples"
SPEC = {
    "features": "both",
    "splits": ["train_is_test", "content", "content_style"],
    "seeds": 1,
    "resamples": 100,
    "permutations": 10,
    "training": {"epochs": 6, "hidden": 32, "output": 16},
}


@pytest.fixture
def client(stack: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=stack, timeout=120) as client:
        yield client


def small(role: str, name: str) -> tuple[str, bytes, str]:
    buffer = io.BytesIO()
    with Image.open(SAMPLES / role / f"{name}.jpg") as image:
        image.thumbnail((160, 160))
        image.save(buffer, "JPEG", quality=90)
    return f"{name}.jpg", buffer.getvalue(), "image/jpeg"


def follow(client: httpx2.Client, address: str) -> list[dict[str, Any]]:
    with client.stream("GET", address) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [json.loads(line.removeprefix("data:")) for line in answer.iter_lines() if line.startswith("data:")]


def test_from_uploads_to_a_report_and_a_detector_of_one_s_own(client: httpx2.Client, photograph: bytes) -> None:
    files = [("content", small("content", name)) for name in ("astronaut", "coffee", "rocket")]
    files += [("style", small("style", name)) for name in ("night", "cubist", "poppies")]
    answer = client.post("/api/lab/datasets", files=files, data={"preset": "instant", "size": "96", "name": "Three by three"})
    assert answer.status_code == 202, answer.text
    dataset = answer.json()
    events = follow(client, dataset["links"]["events"])
    last = events[-1]
    assert (last["state"], last["percent"], last["contents"], last["styles"], last["stylised"]["done"]) == ("ready", 100.0, 3, 3, 9)
    percents = [event["percent"] for event in events]
    assert percents == sorted(percents)
    assert client.get(dataset["links"]["manifest"]).text.count("\n") == 15

    answer = client.post("/api/lab/experiments", json={"dataset": dataset["id"], "spec": SPEC})
    assert answer.status_code == 202, answer.text
    links = answer.json()["links"]
    events = follow(client, links["events"])
    last = events[-1]
    assert (last["state"], last["error"], last["percent"]) == ("done", None, 100.0)
    percents = [event["percent"] for event in events if event["state"] == "running"]
    assert percents == sorted(percents)
    curves = [event["training"]["curve"] for event in events if event["training"]]
    assert max(len(curve) for curve in curves) == 6
    assert {split["name"] for split in last["summary"]["splits"]} | set(last["summary"]["left_out"]) == set(SPEC["splits"])

    report = Report.model_validate_json(client.get(links["report"]).content)
    assert (len(report.pictures), report.features) == (12, 4160)
    assert report.split("train_is_test").train["auroc"].value == 1.0, "any labelling of so few pictures is separated"
    page = client.get(links["report"].replace(".json", ".html")).text
    assert "Three by three" in page
    assert "<script" not in page

    detector = client.post(links["detector"]).json()
    verdict = client.post("/api/verdicts", files={"picture": ("cat.jpg", photograph, "image/jpeg")}).json()
    assert follow(client, verdict["links"]["events"])[-1]["state"] == "done"
    judgement = client.get(verdict["links"]["report"]).json()["judgements"]["picture"]
    assert judgement["detector"] == detector["sha256"]
    assert sum(judgement["evidence"]["cells"]) + judgement["evidence"]["bias"] == pytest.approx(judgement["logit"], abs=1e-3)
    client.post("/api/lab/detectors/shipped/use")


def test_an_experiment_is_cancelled_and_a_deleted_dataset_s_experiment_says_so(client: httpx2.Client) -> None:
    files = [("content", small("content", name)) for name in ("chelsea", "coffee")] + [("style", small("style", "night"))]
    dataset = client.post("/api/lab/datasets", files=files, data={"size": "64"}).json()
    follow(client, dataset["links"]["events"])
    # So many epochs that it is at work until it is told otherwise.
    long = {**SPEC, "splits": ["train_is_test"], "training": {"epochs": 2000}}
    running = client.post("/api/lab/experiments", json={"dataset": dataset["id"], "spec": long}).json()
    waiting = client.post("/api/lab/experiments", json={"dataset": dataset["id"], "spec": SPEC}).json()
    with client.stream("GET", running["links"]["events"]) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:") and json.loads(line.removeprefix("data:"))["training"]:
                break
    assert client.delete(dataset["links"]["self"]).status_code == 200
    assert client.post(running["links"]["cancel"]).status_code == 202
    assert follow(client, running["links"]["events"])[-1]["state"] == "cancelled"
    assert client.get(running["links"]["report"]).status_code == 409
    last = follow(client, waiting["links"]["events"])[-1]
    assert (last["state"], last["error"]) == ("failed", "The dataset of this experiment was deleted.")
