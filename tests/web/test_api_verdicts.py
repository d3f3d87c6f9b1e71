from __future__ import annotations

import json

import pytest

from app.imaging import receipt
from tests.verdict_double import DETECTOR
from tests.web.conftest import Studio, picture
from tests.web.test_sse import messages


def ask(studio: Studio, colour: tuple[int, int, int] = (255, 255, 255)) -> str:
    answer = studio.client.post("/api/verdicts", files={"picture": ("night.png", picture(colour=colour), "image/png")})
    assert answer.status_code == 202, answer.text
    verdict_id: str = answer.json()["id"]
    return verdict_id


def test_one_picture_is_accepted_judged_and_told(studio: Studio) -> None:
    answer = studio.client.post("/api/verdicts", files={"picture": ("night.png", picture(colour=(255, 255, 255)), "image/png")})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["state"], answer.headers["location"]) == ("queued", f"/api/verdicts/{body['id']}")
    assert "HttpOnly" in answer.headers["set-cookie"]
    waiting = studio.client.get(body["links"]["self"]).json()
    assert (waiting["queue_position"], waiting["verdict"], waiting["job"], waiting["picture"]["name"]) == (1, None, None, "night.png")
    studio.judge()
    told = studio.client.get(body["links"]["self"]).json()
    assert (told["state"], told["percent"]) == ("done", 100)
    judgement = told["verdict"]["judgements"]["picture"]
    # Grey 255 and the double's rule, by hand: 255 / 32 - 4 = 3.96875.
    assert judgement["logit"] == pytest.approx(3.96875)
    assert judgement["decision"] == "stylised"
    assert sum(judgement["evidence"]["cells"]) + judgement["evidence"]["bias"] == pytest.approx(judgement["logit"])
    for kind, media in (("picture", "image/png"), ("thumbnail", "image/jpeg")):
        shown = studio.client.get(told["picture"][kind])
        assert (shown.status_code, shown.headers["content-type"]) == (200, media)
    assert studio.client.get(f"/api/verdicts/{body['id']}/pictures/result-1.png").status_code == 404


def test_a_verdict_is_watched_to_its_end(studio: Studio) -> None:
    verdict_id = ask(studio)
    studio.judge()
    heard = messages(studio.client.get(f"/api/verdicts/{verdict_id}/events").text)
    last = json.loads(heard[-1].data)
    assert (last["id"], last["kind"], last["state"], last["percent"]) == (verdict_id, "verdict", "done", 100)


def test_a_job_s_verdict_is_found_at_the_job_and_in_its_receipt(studio: Studio) -> None:
    job_id = studio.finished()
    links = studio.client.get(f"/api/jobs/{job_id}").json()["links"]
    waiting = studio.client.get(links["verdict"]).json()
    assert (waiting["state"], waiting["job"], waiting["picture"], waiting["links"]["page"]) == ("queued", job_id, None, f"/jobs/{job_id}")
    assert studio.client.get(waiting["links"]["report"]).status_code == 409
    unread = receipt.read(studio.client.get(links["result"]).content)
    assert unread is not None
    assert unread.verdict is None
    studio.judge()
    report = studio.client.get(waiting["links"]["report"])
    assert report.headers["content-disposition"] == f'attachment; filename="pentimento-verdict-{waiting["id"][:8]}.json"'
    said = report.json()
    assert said == studio.client.get(links["verdict"]).json()["verdict"]
    assert list(said["judgements"]) == ["content", "style", "result"]
    carried = receipt.read(studio.client.get(links["result"]).content)
    assert carried is not None
    assert carried.verdict is not None
    assert carried.verdict.detector == DETECTOR
    assert {role: one.probability for role, one in carried.verdict.scores.items()} == {
        role: one["probability"] for role, one in said["judgements"].items()
    }
    assert studio.client.get(f"/api/jobs/{job_id}/receipt").json()["verdict"] == carried.verdict.model_dump(mode="json")


def test_the_frames_of_a_run_can_be_fetched(studio: Studio) -> None:
    job = studio.client.get(f"/api/jobs/{studio.finished()}").json()
    assert [frame["iteration"] for frame in job["frames"]] == [1, 2]
    for frame in job["frames"]:
        assert studio.client.get(frame["picture"]).headers["content-type"] == "image/jpeg"


def test_verdicts_are_listed_page_by_page_without_those_of_jobs(studio: Studio) -> None:
    studio.finished()
    ids = [ask(studio) for _ in range(3)]
    first = studio.client.get("/api/verdicts?limit=2").json()
    assert [one["id"] for one in first["verdicts"]] == ids[:0:-1]
    rest = studio.client.get(first["older"]).json()
    assert ([one["id"] for one in rest["verdicts"]], rest["older"]) == (ids[:1], None)
    assert studio.new_client().get("/api/verdicts").json() == {"verdicts": [], "older": None}


def test_deleted_restored_and_tried_again(studio: Studio) -> None:
    verdict_id = ask(studio)
    gone = studio.client.delete(f"/api/verdicts/{verdict_id}")
    assert gone.json()["state"] == "cancelled"
    assert studio.client.get(f"/api/verdicts/{verdict_id}").status_code == 404
    assert studio.client.post(f"/api/verdicts/{verdict_id}/restore").json()["state"] == "cancelled"
    assert studio.client.get(f"/api/verdicts/{verdict_id}/report").json()["detail"] == "This verdict was called off."
    again = studio.client.post(f"/api/verdicts/{verdict_id}/again")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    studio.judge()
    assert studio.client.get(f"/api/verdicts/{verdict_id}").json()["state"] == "done"
    assert studio.client.post(f"/api/verdicts/{verdict_id}/again").status_code == 409


def test_a_verdict_is_its_owner_s_alone_and_no_job(studio: Studio) -> None:
    verdict_id, job_id = ask(studio), studio.submit()
    stranger = studio.new_client()
    stranger.post("/api/verdicts", files={"picture": ("one.png", picture(), "image/png")})
    for path in (f"/api/verdicts/{verdict_id}", f"/api/verdicts/{verdict_id}/events", f"/api/jobs/{job_id}/verdict"):
        assert stranger.get(path).status_code == 404
    assert studio.client.get(f"/api/jobs/{verdict_id}").status_code == 404
    assert studio.client.get(f"/api/verdicts/{job_id}").status_code == 404
    assert studio.client.get(f"/api/verdicts/{'0' * 32}").json()["detail"] == "There is no such verdict, or it is not yours."


def test_a_job_without_a_picture_has_no_verdict(studio: Studio) -> None:
    job_id = studio.submit()
    assert studio.client.get(f"/api/jobs/{job_id}/verdict").status_code == 409
    assert studio.client.post(f"/api/jobs/{job_id}/verdict").status_code == 409


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"picture": ("note.txt", b"no picture", "text/plain")}, 422),
        ({"picture": ("empty.png", b"", "image/png")}, 422),
        ({"picture": ("large.png", b"\x89PNG" + bytes(300_000), "image/png")}, 413),
        ({"other": ("one.png", b"", "image/png")}, 422),
    ],
)
def test_what_is_no_picture_is_refused_at_its_field(studio: Studio, files: dict[str, tuple[str, bytes, str]], status: int) -> None:
    answer = studio.client.post("/api/verdicts", files=files)
    assert answer.status_code == status
    assert [one["field"] for one in answer.json()["errors"]] == ["picture"]
    assert studio.client.get("/api/verdicts").json()["verdicts"] == []


def test_too_many_waiting_pictures_are_refused_and_jobs_do_not_count(studio: Studio) -> None:
    object.__setattr__(studio.services.verdicts, "_settings", studio.settings.model_copy(update={"max_active_verdicts": 2}))
    studio.finished()
    for _ in range(2):
        ask(studio)
    refused = studio.client.post("/api/verdicts", files={"picture": ("one.png", picture(), "image/png")})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert "2 pictures waiting for their verdict" in refused.json()["detail"]
