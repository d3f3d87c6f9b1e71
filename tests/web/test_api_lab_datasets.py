"""The Lab's datasets through the API, with the real keeper; only the painter is played."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.jobs.models import Job, State
from tests.lab.conftest import png, zip_of
from tests.web.conftest import Studio
from workers.runtime.stylizing import Outcome

SET = "/api/lab/datasets"


def several(contents: int = 2, styles: int = 2) -> list[tuple[str, tuple[str, bytes, str]]]:
    files = [("content", (f"c{number}.png", png(number), "image/png")) for number in range(contents)]
    return files + [("style", (f"s{number}.png", png(50 + number), "image/png")) for number in range(styles)]


def make(studio: Studio, files: Any = None, client: TestClient | None = None, **fields: Any) -> str:
    answer = (client or studio.client).post(SET, files=several() if files is None else files, data={"size": "64", **fields})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["links"]["self"]
    dataset_id: str = answer.json()["id"]
    return dataset_id


def wait(studio: Studio, dataset_id: str, *states: str) -> dict[str, Any]:
    for _ in range(200):
        detail: dict[str, Any] = studio.client.get(f"{SET}/{dataset_id}").json()
        if detail["state"] in states:
            return detail
        time.sleep(0.05)
    pytest.fail(f"the dataset stays {detail['state']}")


def paint_all(studio: Studio, count: int) -> None:
    for _ in range(count):
        studio.work()


def test_from_upload_to_zip(studio: Studio) -> None:
    dataset_id = make(studio, preset=["instant", "fast"], strengths="1, 3")
    detail = wait(studio, dataset_id, "making")
    assert [generator["name"] for generator in detail["generators"]] == ["instant", "fast strength 1", "fast strength 3"]
    assert detail["stylised"]["queued"] == 12
    paint_all(studio, 12)
    detail = wait(studio, dataset_id, "ready")
    assert (detail["percent"], detail["pictures"], detail["stylised"]["done"], len(detail["newest"])) == (100.0, 16, 12, 12)
    assert studio.client.get(detail["newest"][0]["picture"]).headers["content-type"] == "image/jpeg"

    manifest = [json.loads(line) for line in studio.client.get(detail["links"]["manifest"]).text.splitlines()]
    assert [line["role"] for line in manifest].count("stylised") == 12
    assert {line["params"]["strength"] for line in manifest if line["generator"] == "fast strength 3"} == {3.0}
    answer = studio.client.get(detail["links"]["zip"])
    assert (answer.headers["content-type"], "content-length" in answer.headers) == ("application/zip", False)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 17
    small = studio.client.get(f"{SET}/{dataset_id}/pictures/1", params={"size": "small"})
    assert (small.headers["content-type"], studio.client.get(f"{SET}/{dataset_id}/pictures/1").headers["content-type"]) == (
        "image/jpeg",
        "image/png",
    )
    assert studio.client.get("/api/jobs").json()["jobs"] == []
    assert [one["id"] for one in studio.client.get(SET).json()["datasets"]] == [dataset_id]


def test_what_sending_the_zip_again_makes_is_told_as_it_is(studio: Studio) -> None:
    dataset_id = make(studio, several(1, 1))
    wait(studio, dataset_id, "making")
    paint_all(studio, 1)
    zipped = studio.client.get(f"{SET}/{dataset_id}/zip").content
    again = wait(studio, make(studio, {"archive": ("again.zip", zipped, "application/zip")}), "making")
    taken = again["contents"], again["styles"], again["stylised"]["queued"], [one["name"] for one in again["skipped_files"]]
    assert taken == (1, 1, 1, ["stylised/00003.png", "manifest.jsonl"])
    told = studio.client.get("/openapi.json").json()["paths"][f"{SET}/{{dataset_id}}/zip"]["get"]["responses"]["200"]["description"]
    assert "of a stylised one only contents and styles are taken, to be stylised anew" in told


def test_a_picture_that_is_painted_anew_is_not_shown_from_the_browser_s_memory(studio: Studio) -> None:
    dataset_id = make(studio, several(1, 1))
    wait(studio, dataset_id, "making")
    paint_all(studio, 1)
    url = f"{SET}/{dataset_id}/pictures/3"
    first = studio.client.get(url)
    assert (first.status_code, first.headers["cache-control"]) == (200, "private, no-cache")
    known = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    again = studio.client.get(url, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])

    with studio.services.database.write() as session:
        job = session.execute(select(Job).where(Job.parent == dataset_id)).scalar_one()
        job.state = State.CANCELLED
    assert studio.client.post(f"{SET}/{dataset_id}/resume").status_code == 202
    studio.work(lambda commission, on_progress: Outcome(255 - commission.content, {"iterations": 1}))
    other = studio.client.get(url, headers=known)
    assert (other.status_code, other.content == first.content) == (200, False)


def test_the_stream_tells_everything_until_nothing_goes_on(studio: Studio) -> None:
    dataset_id = make(studio)
    wait(studio, dataset_id, "making")
    paint_all(studio, 1)
    studio.client.post(f"{SET}/{dataset_id}/cancel")
    with studio.client.stream("GET", f"{SET}/{dataset_id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line.removeprefix("data:")) for line in answer.iter_lines() if line.startswith("data:")]
    assert (events[-1]["state"], events[-1]["stylised"]["done"], events[-1]["stylised"]["cancelled"]) == ("cancelled", 1, 3)
    assert studio.client.post(f"{SET}/{dataset_id}/cancel").status_code == 409
    resumed = studio.client.post(f"{SET}/{dataset_id}/resume")
    assert (resumed.status_code, resumed.json()["state"], resumed.json()["stylised"]["queued"]) == (202, "making", 3)


def test_samples_and_a_zip_may_be_mixed(studio: Studio) -> None:
    files = [("archive", ("more.zip", zip_of({"styles/a.png": png(1), "styles/evil/../b.png": png(2)}).getvalue(), "application/zip"))]
    dataset_id = make(studio, files, content_sample=["chelsea", "coffee"])
    detail = wait(studio, dataset_id, "making")
    assert (detail["name"], detail["contents"], detail["styles"], detail["skipped"]) == ("more", 2, 1, 1)


def test_labelled_folders_and_their_counts(studio: Studio) -> None:
    files = [
        (
            "archive",
            (
                "animals.zip",
                zip_of({f"{klass}/{n}.png": png(n + 10 * len(klass)) for klass in ("cat", "horse") for n in range(3)}).getvalue(),
                "application/zip",
            ),
        )
    ]
    detail = wait(studio, make(studio, files, kind="labelled"), "ready")
    assert (detail["kind"], detail["classes"], detail["generators"]) == ("labelled", {"cat": 3, "horse": 3}, [])


@pytest.mark.parametrize(
    ("files", "fields", "status", "field", "said"),
    [
        ([], {"name": "empty"}, 422, "archive", "Choose some pictures"),
        (None, {"preset": "none"}, 422, "preset", "no preset called 'none'"),
        (None, {"size": "1"}, 422, "size", "from 64 to 4096"),
        (None, {"preset": "fast", "strengths": "much"}, 422, "strengths", "'much'"),
        (None, {"job": "0" * 32}, 404, "job", "no such job"),
        (None, {"kind": "odd"}, 422, "kind", "Received: 'odd'"),
        (None, {"content_sample": "nothing"}, 422, "content_sample", "no sample called 'nothing'"),
        ([("archive", ("a.zip", b"PK nonsense", "application/zip"))], {}, 422, "archive", "not a whole zip file"),
        ([("content", ("large.png", b"\x89PNG" + bytes(300_000), "image/png"))], {}, 422, "content", "large.png"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(studio: Studio, files: Any, fields: dict[str, str], status: int, field: str, said: str) -> None:
    answer = studio.client.post(SET, files=several() if files is None else files, data=fields)
    assert answer.status_code in (status, 413), answer.text
    errors = answer.json()["errors"]
    assert field in [error["field"] for error in errors], errors
    assert said in " ".join(error["detail"] for error in errors)
    assert studio.client.get(SET).json()["datasets"] == []


def test_a_bomb_is_413(studio: Studio) -> None:
    bomb = zip_of({f"contents/{number}.png": bytes(100_000) for number in range(3)})
    services = studio.services
    object.__setattr__(services.datasets, "_settings", studio.settings.model_copy(update={"max_archive_mb": 0.05, "max_upload_mb": 0.2}))
    answer = studio.client.post(SET, files=[("archive", ("bomb.zip", bomb.getvalue(), "application/zip"))])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (413, "archive")


def test_a_dataset_is_its_owner_s(studio: Studio) -> None:
    dataset_id = make(studio)
    stranger = studio.new_client()
    make(studio, client=stranger)
    for path in ("", "/events", "/manifest", "/zip", "/pictures/1"):
        assert stranger.get(f"{SET}/{dataset_id}{path}").status_code == 404
    for path in ("cancel", "resume", "restore"):
        assert stranger.post(f"{SET}/{dataset_id}/{path}").status_code == 404
    assert stranger.delete(f"{SET}/{dataset_id}").status_code == 404


def test_deleting_can_be_undone(studio: Studio) -> None:
    dataset_id = make(studio)
    wait(studio, dataset_id, "making")
    assert studio.client.delete(f"{SET}/{dataset_id}").json()["state"] == "making"
    assert studio.client.get(f"{SET}/{dataset_id}").status_code == 404
    assert studio.client.post(f"{SET}/{dataset_id}/restore").json()["state"] == "cancelled"
