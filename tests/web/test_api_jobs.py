from __future__ import annotations

import io

import pytest
from PIL import Image

from app.imaging import receipt
from tests.web.conftest import Studio, picture, two_pictures


def test_a_job_is_accepted_with_its_links_and_a_cookie(studio: Studio) -> None:
    answer = studio.client.post("/api/jobs", files=two_pictures(), data={"size": "128", "preset": "instant"})
    assert answer.status_code == 202
    body = answer.json()
    assert body["state"] == "queued"
    assert set(body["links"]) >= {"self", "events", "stop", "cancel", "result", "page"}
    assert answer.headers["location"] == body["links"]["self"] == f"/api/jobs/{body['id']}"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    job = studio.client.get(body["links"]["self"]).json()
    assert job["params"]["size"] == 128
    assert job["params"]["iterations"] == []  # what the preset says
    assert job["inputs"]["content"]["name"] == "harbour.png"
    assert job["queue_position"] == 1


def test_parameters_are_taken_by_name(studio: Studio) -> None:
    job_id = studio.submit(iterations="7,3", strength="2.5", optimiser="adam", seed="11")
    params = studio.client.get(f"/api/jobs/{job_id}").json()["params"]
    assert (params["iterations"], params["strength"], params["optimiser"], params["seed"]) == ([7, 3], 2.5, "adam", 11)


def test_samples_can_be_named_instead_of_files(studio: Studio) -> None:
    samples = studio.services.samples
    names = {role: samples.of(role)[0] for role in ("content", "style")}
    answer = studio.client.post("/api/jobs", files={f"{role}_sample": (None, sample.name) for role, sample in names.items()})
    assert answer.status_code == 202, answer.text
    inputs = studio.client.get(answer.headers["location"]).json()["inputs"]
    assert inputs["content"]["name"] == names["content"].title


def test_samples_need_no_multipart_form(studio: Studio) -> None:
    named = {f"{role}_sample": studio.services.samples.of(role)[0].name for role in ("content", "style")}
    answer = studio.client.post("/api/jobs", data={**named, "size": "96"})
    assert answer.request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert answer.status_code == 202, answer.text
    assert studio.client.get(answer.headers["location"]).json()["params"]["size"] == 96
    elsewhere = studio.client.post("/api/jobs", data=named, headers={"Origin": "http://elsewhere.example"})
    assert elsewhere.status_code == 403


def test_pictures_of_an_earlier_job_can_be_used_again(studio: Studio) -> None:
    first = studio.submit()
    answer = studio.client.post("/api/jobs", files={"content_kept": (None, first), "style_kept": (None, first)})
    assert answer.status_code == 202
    jobs = [studio.client.get(f"/api/jobs/{job_id}").json() for job_id in (first, answer.json()["id"])]
    assert jobs[0]["inputs"]["content"]["sha256"] == jobs[1]["inputs"]["content"]["sha256"]


def test_pictures_of_somebody_else_cannot_be_used(studio: Studio) -> None:
    first = studio.submit()
    answer = studio.new_client().post("/api/jobs", files={"content_kept": (None, first), "style_kept": (None, first)})
    assert answer.status_code == 422
    assert "gone" in answer.json()["detail"]


def test_every_wrong_field_is_named(studio: Studio) -> None:
    answer = studio.client.post("/api/jobs", files={"content": ("notes.txt", b"not a picture", "text/plain")}, data={"size": "3"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == ["content", "style", "size"]
    assert studio.client.get("/api/jobs").json()["jobs"] == []


def test_every_wrong_parameter_is_named_at_once(studio: Studio) -> None:
    wrong = {"preset": "fine", "size": "64", "strength": "99", "tv": "lots", "nonsense": "1"}
    answer = studio.client.post("/api/jobs", files=two_pictures(), data=wrong)
    assert answer.status_code == 422
    assert sorted(error["field"] for error in answer.json()["errors"]) == ["iterations", "nonsense", "strength", "tv"]


@pytest.mark.parametrize(("field", "value"), [("preset", "nothing"), ("nonsense", "1"), ("style_sample", "nobody")])
def test_unknown_names_are_refused(studio: Studio, field: str, value: str) -> None:
    files = two_pictures()
    if field == "style_sample":
        del files["style"]
    answer = studio.client.post("/api/jobs", files=files, data={field: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_something_else_than_a_form_is_refused(studio: Studio) -> None:
    answer = studio.client.post("/api/jobs", json={"content": "x"})
    assert answer.status_code == 422
    assert "multipart" in answer.json()["detail"]


def test_too_many_jobs_say_when_to_come_back(studio: Studio) -> None:
    for _ in range(studio.settings.max_active_jobs):
        studio.submit()
    answer = studio.client.post("/api/jobs", files=two_pictures())
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_the_list_is_newest_first_and_pages(studio: Studio) -> None:
    ids = [studio.submit() for _ in range(3)]
    first = studio.client.get("/api/jobs?limit=2").json()
    assert [job["id"] for job in first["jobs"]] == ids[:0:-1]
    second = studio.client.get(first["older"]).json()
    assert [job["id"] for job in second["jobs"]] == ids[:1]
    assert second["older"] is None


def test_a_waiting_job_is_cancelled_at_once_and_only_once(studio: Studio) -> None:
    job_id = studio.submit()
    assert studio.client.post(f"/api/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    again = studio.client.post(f"/api/jobs/{job_id}/cancel")
    assert again.status_code == 409
    assert studio.client.get(f"/api/jobs/{job_id}/result").status_code == 409


def test_stop_keeps_the_picture(studio: Studio) -> None:
    job_id = studio.submit()
    assert studio.client.post(f"/api/jobs/{job_id}/stop").status_code == 202
    studio.work()
    job = studio.client.get(f"/api/jobs/{job_id}").json()
    assert (job["state"], job["stopped_early"]) == ("done", True)
    assert job["iteration"] == 1
    assert studio.client.get(job["result"]).status_code == 200


def test_the_result_carries_its_receipt(studio: Studio) -> None:
    job_id = studio.finished()
    for kind, start in (("png", b"\x89PNG"), ("jpeg", b"\xff\xd8")):
        answer = studio.client.get(f"/api/jobs/{job_id}/result?format={kind}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"image/{kind}"
        assert answer.headers["content-disposition"].startswith('attachment; filename="pentimento-harbour-waves.')
        assert answer.content.startswith(start)
        assert Image.open(io.BytesIO(answer.content)).size == (60, 40)
        inside = receipt.read(answer.content)
        assert inside is not None and inside.job == job_id and inside.parameters.size == 64
        assert inside.model_dump(mode="json") == studio.client.get(f"/api/jobs/{job_id}/receipt").json()
    with Image.open(io.BytesIO(studio.client.get(f"/api/jobs/{job_id}/result").content)) as image:
        assert image.convert("RGB").getpixel((5, 5)) == (90, 90, 90)


def test_pictures_have_their_type_and_stay_private(studio: Studio) -> None:
    job_id = studio.finished()
    job = studio.client.get(f"/api/jobs/{job_id}").json()
    for url, kind in ((job["preview"], "image/jpeg"), (job["inputs"]["style"]["picture"], "image/png")):
        answer = studio.client.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"].startswith("private")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_head_of_a_job_s_files_is_answered_as_get_is(studio: Studio) -> None:
    job_id = studio.finished()
    for place in (f"/api/jobs/{job_id}/{name}" for name in ("result", "receipt", "pictures/content.png", "pictures/nothing.png")):
        head, got = studio.client.head(place), studio.client.get(place)
        assert head.status_code == got.status_code
        assert head.headers["content-type"] == got.headers["content-type"]
    assert studio.client.head(f"/jobs/{job_id}").status_code == 200
    assert all(set(methods) & {"get", "post", "delete"} and "head" not in methods for methods in studio.app.openapi()["paths"].values())


@pytest.mark.parametrize("name", ["..%2f..%2fsecret", "content.svg", "content.png%00.jpg", "nothing.png", ".partial-1.png"])
def test_other_names_are_not_pictures(studio: Studio, name: str) -> None:
    job_id = studio.submit()
    assert studio.client.get(f"/api/jobs/{job_id}/pictures/{name}").status_code == 404


def test_a_deleted_job_is_gone_until_it_is_restored(studio: Studio) -> None:
    job_id = studio.finished()
    assert studio.client.delete(f"/api/jobs/{job_id}").status_code == 200
    assert studio.client.get(f"/api/jobs/{job_id}").status_code == 404
    assert studio.client.get(f"/api/jobs/{job_id}/result").status_code == 404
    assert studio.client.post(f"/api/jobs/{job_id}/restore").status_code == 200
    assert studio.client.get(f"/api/jobs/{job_id}/result").status_code == 200


def test_file_names_are_shown_without_paths_and_control_characters(studio: Studio) -> None:
    files = two_pictures()
    files["content"] = ("C:\\secret\\a\u202egnp.exe<b>.png", picture(), "image/png")
    job_id = studio.client.post("/api/jobs", files=files).json()["id"]
    assert studio.client.get(f"/api/jobs/{job_id}").json()["inputs"]["content"]["name"] == "agnp.exe<b>.png"
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "agnp.exe&lt;b&gt;" in page
    assert "agnp.exe<b>" not in page
