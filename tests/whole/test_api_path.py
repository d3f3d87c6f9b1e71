"""From upload to download through the API, with the real worker and the real networks."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from app.core.specs import resolve
from app.imaging import receipt


@pytest.fixture
def client(stack: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=stack, timeout=60) as client:
        yield client


def submit(client: httpx2.Client, photograph: bytes, painting: bytes, **fields: Any) -> dict[str, Any]:
    # These jobs take every step that was asked for.
    fields = {"plateau": 0, **fields}
    files = {"content": ("cat.jpg", photograph, "image/jpeg"), "style": ("night.jpg", painting, "image/jpeg")}
    answer = client.post("/api/jobs", files=files, data={name: str(value) for name, value in fields.items()})
    assert answer.status_code == 202, answer.text
    return answer.json()


def follow(client: httpx2.Client, job_id: str, last_event_id: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with client.stream("GET", f"/api/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event_id = ""
        for line in answer.iter_lines():
            if line.startswith("id:"):
                event_id = line.removeprefix("id:").strip()
            elif line.startswith("data:"):
                yield event_id, json.loads(line.removeprefix("data:"))


def wait_until_running(client: httpx2.Client, job_id: str) -> None:
    for _, event in follow(client, job_id):
        if event["preview"] and event["state"] == "running":
            return
    pytest.fail("the job ended before it showed a preview")


def picture(client: httpx2.Client, job_id: str, kind: str = "png") -> tuple[bytes, Image.Image]:
    answer = client.get(f"/api/jobs/{job_id}/result", params={"format": kind})
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return answer.content, image


def test_a_picture_is_painted_streamed_and_downloaded(client: httpx2.Client, photograph: bytes, painting: bytes) -> None:
    job = submit(client, photograph, painting, size=144, iterations="6,6", seed=5)
    events = list(follow(client, job["id"]))
    last = events[-1][1]
    assert (last["state"], last["percent"], last["iteration"], last["iterations"]) == ("done", 100.0, 12, 12)
    running = [event for _, event in events if event["state"] == "running"]
    percents = [event["percent"] for event in running]
    assert percents == sorted(percents)
    assert {"adain", "refine"} <= {event["stage"] for event in running}
    assert len({event["preview"] for event in running if event["preview"]}) >= 3
    losses = [event["losses"]["total"] for event in running if event["losses"] and event["scale"] == 144]
    assert losses[-1] < losses[0]

    data, png = picture(client, job["id"])
    assert png.size == (144, 96)
    assert np.asarray(png).std() > 10, "a painting, not one colour"
    told = receipt.read(data)
    assert told is not None
    assert told.parameters == resolve("default", {"size": 144, "iterations": (6, 6), "seed": 5, "plateau": 0})
    assert (told.iterations, told.planned, told.job) == (12, 12, job["id"])
    assert set(told.weights) == {"vgg19", "adain_decoder"}
    data, jpeg = picture(client, job["id"], "jpeg")
    assert (jpeg.format, jpeg.size) == ("JPEG", (144, 96))
    assert receipt.read(data) == told


def test_the_same_seed_and_parameters_give_the_same_pixels(client: httpx2.Client, photograph: bytes, painting: bytes) -> None:
    pictures = []
    for _ in range(2):
        job = submit(client, photograph, painting, size=96, iterations="3")
        assert list(follow(client, job["id"]))[-1][1]["state"] == "done"
        pictures.append(np.asarray(picture(client, job["id"])[1]))
    np.testing.assert_array_equal(*pictures)


def test_stop_keeps_the_best_picture_so_far(client: httpx2.Client, photograph: bytes, painting: bytes) -> None:
    job = submit(client, photograph, painting, size=128, iterations="2000")
    wait_until_running(client, job["id"])
    assert client.post(f"/api/jobs/{job['id']}/stop").status_code in (200, 202)
    last = list(follow(client, job["id"]))[-1][1]
    assert (last["state"], last["stopped_early"]) == ("done", True)
    assert picture(client, job["id"])[1].size == (128, 85)


def test_cancel_ends_as_cancelled_and_the_picture_stays(client: httpx2.Client, photograph: bytes, painting: bytes) -> None:
    job = submit(client, photograph, painting, size=128, iterations="2000")
    waiting = submit(client, photograph, painting, size=128)
    assert client.get(f"/api/jobs/{waiting['id']}").json()["queue_position"] == 1
    assert client.post(f"/api/jobs/{waiting['id']}/cancel").status_code in (200, 202)
    assert client.get(f"/api/jobs/{waiting['id']}").json()["state"] == "cancelled"
    assert client.get(f"/api/jobs/{waiting['id']}/result").status_code == 409
    wait_until_running(client, job["id"])
    assert client.post(f"/api/jobs/{job['id']}/cancel").status_code in (200, 202)
    assert list(follow(client, job["id"]))[-1][1]["state"] == "cancelled"
    assert picture(client, job["id"])[1].size == (128, 85)


def test_a_lost_connection_resumes_where_it_was(client: httpx2.Client, photograph: bytes, painting: bytes) -> None:
    job = submit(client, photograph, painting, size=96, iterations="60")
    seen: list[str] = []
    for event_id, event in follow(client, job["id"]):
        seen.append(event_id)
        if event["iteration"] >= 5:
            break
    time.sleep(0.5)
    rest = list(follow(client, job["id"], last_event_id=seen[-1]))
    ids = [tuple(map(int, event_id.split("-"))) for event_id, _ in rest]
    assert ids == sorted(ids)
    assert ids[0] > tuple(map(int, seen[-1].split("-")))
    assert rest[-1][1]["state"] == "done"


def test_a_job_outlives_the_worker_that_is_killed(client: httpx2.Client, running: Any, photograph: bytes, painting: bytes) -> None:
    job = submit(client, photograph, painting, size=96, iterations="400")
    for _, event in follow(client, job["id"]):
        assert event["state"] in ("queued", "running")
        if event["iteration"] >= 20 and event["elapsed"] > 1.5:
            break
    (painter,) = running.painters()
    painter.kill()
    events = [event for _, event in follow(client, job["id"])]
    assert events[-1]["state"] == "done"
    assert events[-1]["iteration"] == 400
    assert "queued" in {event["state"] for event in events}
    # It goes on from where it was, at most one state earlier.
    second = [event for event in events if event["attempt"] == 2]
    assert {event["resumed_at"] for event in second if event["state"] == "running"} == {second[0]["resumed_at"]}
    assert min(event["iteration"] for event in second) == second[0]["resumed_at"] > 0
    assert picture(client, job["id"])[1].size == (96, 64)


def test_deleting_is_final_for_others_and_can_be_undone(client: httpx2.Client, stack: str, photograph: bytes, painting: bytes) -> None:
    job = submit(client, photograph, painting, size=64, iterations="")
    assert list(follow(client, job["id"]))[-1][1]["state"] == "done"
    with httpx2.Client(base_url=stack) as stranger:
        assert stranger.get(f"/api/jobs/{job['id']}").status_code == 404
        assert stranger.delete(f"/api/jobs/{job['id']}").status_code == 404
    assert client.delete(f"/api/jobs/{job['id']}").status_code in (200, 204)
    assert client.get(f"/api/jobs/{job['id']}").status_code == 404
    assert client.post(f"/api/jobs/{job['id']}/restore").status_code == 200
    assert client.get(f"/api/jobs/{job['id']}").json()["state"] == "done"
