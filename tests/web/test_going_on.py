"""Pausing, resuming, changing, more and larger, through the API and without a script."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

from app.core.commission import Commission
from app.core.progress import Losses, OnProgress, Progress, StopRequested
from app.imaging import encode
from app.jobs.models import Job, State
from app.jobs.sweeper import Sweeper
from tests.web.conftest import FACTS, Studio, paint, picture, two_pictures
from workers.runtime.stylizing import Outcome, Sitting, Stylizing


def state(studio: Studio, job_id: str) -> str:
    found: str = studio.client.get(f"/api/jobs/{job_id}").json()["state"]
    return found


def post(studio: Studio, job_id: str, what: str) -> tuple[int, dict[str, object]]:
    answer = studio.client.post(f"/api/jobs/{job_id}/{what}")
    return answer.status_code, answer.json()


def test_a_waiting_job_is_paused_at_once_and_waits_again(studio: Studio) -> None:
    job_id = studio.submit()
    status, job = post(studio, job_id, "pause")
    assert (status, job["state"], job["queue_position"]) == (202, "paused", None)
    assert post(studio, job_id, "pause")[1]["state"] == "paused", "asking twice does no harm"
    assert not studio.runtime.run_one(Stylizing, lambda *_: pytest.fail("a paused job was claimed"))
    shown = studio.client.get("/history").text
    assert "Paused" in shown
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "Go on" in page and ">Paused<" in page
    status, job = post(studio, job_id, "resume")
    assert (status, job["state"]) == (202, "queued")
    assert studio.client.get(f"/api/jobs/{job_id}").json()["queue_position"] == 1
    studio.work()
    assert state(studio, job_id) == "done"


@pytest.mark.parametrize(("what", "words"), [("pause", "already ended (done)"), ("resume", "already ended (done)")])
def test_an_ended_job_answers_in_words(studio: Studio, what: str, words: str) -> None:
    status, problem = post(studio, studio.finished(), what)
    assert (status, problem["code"]) == (409, "not_ready")
    assert words in str(problem["detail"])


def test_what_is_not_paused_cannot_be_resumed(studio: Studio) -> None:
    status, problem = post(studio, studio.submit(), "resume")
    assert (status, problem["detail"]) == (409, "This job is not paused (queued).")


def test_paused_jobs_can_be_stopped_cancelled_and_deleted(studio: Studio) -> None:
    stopped, cancelled, deleted = (studio.submit() for _ in range(3))
    for job_id in (stopped, cancelled, deleted):
        post(studio, job_id, "pause")
    assert post(studio, cancelled, "cancel")[1]["state"] == "cancelled"
    assert studio.client.delete(f"/api/jobs/{deleted}").json()["state"] == "cancelled"
    # There is no picture yet: like any waiting job it ends with its first.
    assert post(studio, stopped, "stop")[1]["state"] == "queued"
    studio.work()
    job = studio.client.get(f"/api/jobs/{stopped}").json()
    assert (job["state"], job["stopped_early"]) == ("done", True)


def test_a_paused_job_keeps_its_place_and_resuming_takes_no_other(studio: Studio) -> None:
    """Otherwise anyone could store as many pictures as they like, pausing each."""
    paused = studio.submit()
    post(studio, paused, "pause")
    for _ in range(studio.settings.max_active_jobs - 1):
        studio.submit()
    refused = studio.client.post("/api/jobs", files=two_pictures())
    assert (refused.status_code, "20 pictures waiting, paused or" in refused.json()["detail"]) == (429, True)
    assert post(studio, paused, "resume")[0] == 202
    assert state(studio, paused) == "queued"


def test_resuming_waits_where_the_queue_is_full(studio: Studio) -> None:
    paused = studio.submit()
    post(studio, paused, "pause")
    object.__setattr__(studio.services.jobs, "_settings", studio.settings.model_copy(update={"max_queue": 1}))
    studio.submit(studio.new_client())
    assert post(studio, paused, "resume")[0] == 429
    assert state(studio, paused) == "paused"


def test_a_picture_of_a_dataset_is_not_paused_alone(studio: Studio) -> None:
    job_id = studio.submit()
    with studio.services.database.write() as session:
        session.get_one(Job, job_id).parent = "d" * 32
    status, problem = post(studio, job_id, "pause")
    assert (status, state(studio, job_id)) == (409, "queued")
    assert "dataset" in str(problem["detail"])


def test_a_change_is_kept_in_the_row_followed_by_the_painter_and_in_the_receipt(studio: Studio) -> None:
    job_id = studio.submit(size=64)
    asked: list[float] = []

    def change(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        picture = np.full((40, 60, 3), 90, np.uint8)
        with suppress(StopRequested):
            for step in (1, 2):
                asked.append(sitting.steer().params.strength)
                on_progress(Progress("refine", 60, step, 2, step / 2, Losses(1.0, 2.0, 0.0, 3.0), 0.1, None, picture))
                if step == 1:
                    answer = studio.client.patch(f"/api/jobs/{job_id}", json={"strength": 2.5, "style_relu3_1": 0})
                    assert answer.status_code == 200, answer.text
                    assert answer.json()["params"]["strength"] == 2.5
        return Outcome(picture, FACTS)

    assert studio.runtime.run_one(Stylizing, change)
    assert asked == [1.0, 2.5]
    job = studio.client.get(f"/api/jobs/{job_id}").json()
    changes = [
        {"iteration": 2, "name": "strength", "before": 1.0, "after": 2.5},
        {"iteration": 2, "name": "style_relu3_1", "before": 1.0, "after": 0.0},
    ]
    assert job["changes"] == changes
    told = studio.client.get(f"/api/jobs/{job_id}/receipt").json()
    assert (told["changes"], told["parameters"]["strength"]) == (changes, 2.5)
    assert "Strength 1 → 2.5 from iteration 2" in studio.client.get(f"/jobs/{job_id}").text


@pytest.mark.parametrize(
    ("wanted", "field"),
    [({"size": 128}, "size"), ({"strength": 99}, "strength"), ({"strength": "lots"}, "strength"), ({"nonsense": 1}, "nonsense")],
)
def test_what_cannot_be_changed_is_refused_by_name(studio: Studio, wanted: dict[str, object], field: str) -> None:
    job_id = studio.submit()
    answer = studio.client.patch(f"/api/jobs/{job_id}", json=wanted)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert studio.client.patch(f"/api/jobs/{job_id}", json={}).status_code == 422


def test_a_body_longer_than_any_change_is_refused_and_of_others_not_read(studio: Studio) -> None:
    job_id = studio.submit()

    def without_a_length() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    answer = studio.client.patch(f"/api/jobs/{job_id}", content=without_a_length())
    assert answer.status_code == 413
    assert "at most 16000 bytes" in answer.json()["detail"]
    stranger = studio.new_client()
    stranger.post("/api/jobs", files=two_pictures())
    assert stranger.patch(f"/api/jobs/{job_id}", content=b" " * 20_000).status_code == 404
    assert stranger.patch(f"/api/jobs/{job_id}", content=b"no json").status_code == 404


@pytest.mark.parametrize("body", [b"no json", b"[1]", b"\xff\xfe\x00", b"[" * 15_000, b'"strength"'])
def test_a_body_that_is_no_object_is_told_in_words(studio: Studio, body: bytes) -> None:
    answer = studio.client.patch(f"/api/jobs/{studio.submit()}", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "Send a JSON object" in answer.json()["detail"]


def test_a_long_name_comes_back_shortened(studio: Studio) -> None:
    answer = studio.client.patch(f"/api/jobs/{studio.submit()}", json={"n" * 9000: 1})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "n" * 40 + "…"
    assert len(answer.content) < 1000
    many = studio.client.patch(f"/api/jobs/{studio.submit()}", json={str(number): 1 for number in range(1000)})
    assert many.status_code == 422 and many.json()["detail"].endswith("Received: 1000.")


def test_the_weights_of_several_paintings_are_followed_too(studio: Studio) -> None:
    waves = ("waves.png", picture(colour=(10, 20, 200)), "image/png")
    files = {**two_pictures(), "style2": waves}
    job_id = studio.client.post("/api/jobs", files=files, data={"style_weight": "50", "style2_weight": "50"}).json()["id"]
    seen: list[list[float]] = []

    def engine(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        shown = np.full((40, 60, 3), 90, np.uint8)
        for step in (1, 2):
            seen.append([style.weight for style in sitting.steer().styles])
            on_progress(Progress("refine", 60, step, 2, step / 2, None, 0.1, None, shown))
            if step == 1:
                assert studio.client.patch(f"/api/jobs/{job_id}", json={"weights": [80, 20]}).status_code == 200
        return Outcome(shown, FACTS)

    for wrong in ([80], [80, 0], [80, "x"], [80, True], [80, None, None], 80, None):
        answer = studio.client.patch(f"/api/jobs/{job_id}", json={"weights": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "weights")
    # Of two pages, each sends what was moved there.
    assert [studio.client.patch(f"/api/jobs/{job_id}", json={"weights": one}).status_code for one in ([None, 90], [70, None])] == [200, 200]
    assert studio.runtime.run_one(Stylizing, engine)
    assert seen == [[70.0, 90.0], [80.0, 20.0]]
    names = [change["name"] for change in studio.client.get(f"/api/jobs/{job_id}/receipt").json()["changes"]]
    assert names == ["weight_1", "weight_2"]
    assert "Weight of the second painting 90 → 20 from iteration 2" in studio.client.get(f"/jobs/{job_id}").text


def test_nothing_is_changed_after_the_end(studio: Studio) -> None:
    assert studio.client.patch(f"/api/jobs/{studio.finished()}", json={"strength": 2}).status_code == 409


def test_two_hundred_more_is_a_new_job_from_the_result(studio: Studio) -> None:
    first = studio.finished()
    answer = studio.client.post(f"/api/jobs/{first}/more")
    assert answer.status_code == 202
    second = answer.json()["id"]
    assert answer.headers["location"] == f"/api/jobs/{second}"
    job = studio.client.get(f"/api/jobs/{second}").json()
    assert (job["continued_from"], job["params"]["iterations"], job["params"]["size"]) == (first, [200], 64)
    assert studio.client.get(f"/api/jobs/{first}").json()["continued_in"] == [second]
    starts: list[object] = []

    def look(commission: Commission, on_progress: OnProgress) -> Outcome:
        starts.append(commission.start)
        return Outcome(np.full((40, 60, 3), 10, np.uint8), FACTS)

    studio.work(look)
    np.testing.assert_allclose(starts[0], np.full((40, 60, 3), 90 / 255, np.float32), atol=1e-6)
    assert "Continued from an earlier picture" in studio.client.get(f"/jobs/{second}").text
    assert f"/jobs/{second}" in studio.client.get(f"/jobs/{first}").text
    old = encode.read_rgb(studio.client.get(f"/api/jobs/{first}/result").content)
    assert old[0, 0, 0] == 90, "the old result stays"
    studio.client.delete(f"/api/jobs/{first}")
    assert studio.client.get(f"/api/jobs/{second}").json()["inputs"]["content"]["name"] == "harbour.png"
    assert "Continued from" not in studio.client.get(f"/jobs/{second}").text


def test_again_with_changes_takes_as_long_as_the_first_picture_did(studio: Studio) -> None:
    first = studio.submit(size=128, iterations="7, 5", plateau=1.5, strength=2)
    studio.work()
    second = str(post(studio, first, "more")[1]["id"])
    studio.work()

    def options() -> list[str]:
        form = studio.client.get(f"/?from={second}").text
        return [re.findall(rf'<input id="{name}"[^>]* value="([^"]*)"', form)[0] for name in ("iterations", "plateau", "strength")]

    assert options() == ["7, 5", "1.5", "2"]
    studio.client.delete(f"/api/jobs/{first}")
    assert options() == ["50, 20", "2", "2"], "as the preset says"


def test_a_picture_that_took_too_long_says_so_and_what_next(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.runtime.life._LOOK_EVERY_SECONDS", 0.0)
    short = studio.settings.model_copy(update={"hard_limit_seconds": 0.0002})
    runtime = dataclasses.replace(studio.runtime, clients=dataclasses.replace(studio.runtime.clients, settings=short))
    job_id = studio.submit(size=64)
    assert runtime.run_one(Stylizing, lambda sitting, on_progress: paint(sitting.commission, on_progress))
    job = studio.client.get(f"/api/jobs/{job_id}").json()
    assert (job["state"], job["stopped_early"], len(job["notes"])) == ("done", True, 1)
    said = "It did not get further: this took longer than the 0.0001 seconds after which a job is ended. Paint 200 more, or try"
    page = studio.client.get(f"/jobs/{job_id}").text
    assert said in page and "Stopped early" in page
    assert studio.client.get(f"/api/jobs/{job_id}/receipt").json()["notes"] == job["notes"]


def test_larger_doubles_up_to_the_largest(studio: Studio) -> None:
    sizes = []
    for size in (64, 3000, 4096):
        job_id = studio.submit(size=size, iterations="")
        studio.work()
        answer = studio.client.post(f"/api/jobs/{job_id}/larger")
        if answer.status_code == 202:
            sizes.append(studio.client.get(answer.headers["location"]).json()["params"]["size"])
            studio.client.post(f"{answer.headers['location']}/cancel")
    assert sizes == [128, 4096]
    assert answer.status_code == 409 and "largest size" in answer.json()["detail"]


def test_what_has_no_picture_cannot_go_on(studio: Studio) -> None:
    job_id = studio.submit()
    for what in ("more", "larger"):
        assert post(studio, job_id, what)[0] == 409
    assert studio.client.post(f"/jobs/{job_id}/more").status_code == 409


def test_a_second_program_finds_a_paused_job_paused(studio: Studio) -> None:
    job_id = studio.submit()
    post(studio, job_id, "pause")
    Sweeper(studio.runtime.clients).sweep()
    with studio.services.database.read() as session:
        assert session.get_one(Job, job_id).state == State.PAUSED


def test_the_receipt_states_what_was_in_effect_not_what_came_too_late(studio: Studio) -> None:
    waves = ("waves.png", picture(colour=(10, 20, 200)), "image/png")
    files = {**two_pictures(), "style2": waves}
    job_id = studio.client.post("/api/jobs", files=files, data={"style_weight": "50", "style2_weight": "50"}).json()["id"]

    def engine(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        shown = np.full((40, 60, 3), 90, np.uint8)
        sitting.steer()
        on_progress(Progress("refine", 60, 1, 1, 1.0, None, 0.1, None, shown))
        assert studio.client.patch(f"/api/jobs/{job_id}", json={"strength": 4, "weights": [80, 20]}).status_code == 200
        return Outcome(shown, FACTS)

    assert studio.runtime.run_one(Stylizing, engine)
    told = studio.client.get(f"/api/jobs/{job_id}/receipt").json()
    assert (told["parameters"]["strength"], told["changes"]) == (1.0, [])
    assert [one["weight"] for one in told["inputs"] if one["role"] == "style"] == [50.0, 50.0]
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "<dt>Strength</dt><dd>1</dd>" in page.replace("1.0", "1")


@pytest.mark.parametrize("params", [{"iterations": ""}, {"colours": "only"}])
def test_a_picture_without_iterations_has_nothing_to_change(studio: Studio, params: dict[str, str]) -> None:
    job_id = studio.submit(**params)
    answer = studio.client.patch(f"/api/jobs/{job_id}", json={"strength": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
    assert "without iterations" in answer.json()["detail"]
    pages = [studio.client.get(f"/jobs/{one}").text for one in (job_id, studio.submit())]
    assert ['id="balance"' in page for page in pages] == [False, True]


def test_a_picture_of_a_dataset_is_not_changed_alone(studio: Studio) -> None:
    job_id = studio.submit()
    with studio.services.database.write() as session:
        session.get_one(Job, job_id).parent = "d" * 32
    answer = studio.client.patch(f"/api/jobs/{job_id}", json={"strength": 2})
    assert (answer.status_code, "dataset" in answer.json()["detail"]) == (409, True)


def test_where_only_colours_were_taken_over_there_is_no_more(studio: Studio) -> None:
    job_id = studio.submit(colours="only")
    studio.work()
    status, problem = post(studio, job_id, "more")
    assert (status, problem["code"]) == (409, "not_ready")
    page = studio.client.get(f"/jobs/{job_id}").text
    assert 'id="more"' not in page and 'id="larger"' in page


def test_an_instant_picture_is_made_anew_at_the_larger_size(studio: Studio) -> None:
    job_id = studio.submit(iterations="")
    studio.work()
    _, larger = post(studio, job_id, "larger")
    starts: list[object] = []

    def look(commission: Commission, on_progress: OnProgress) -> Outcome:
        starts.append(commission.start)
        return Outcome(np.full((40, 60, 3), 10, np.uint8), FACTS)

    studio.work(look)
    assert starts == [None]
    inputs = studio.client.get(f"/api/jobs/{larger['id']}/receipt").json()["inputs"]
    assert [one["role"] for one in inputs] == ["content", "style"]


def test_larger_after_more_takes_as_many_steps_as_the_first_picture(studio: Studio) -> None:
    first = studio.submit(size=1024, iterations="7, 5", enlarging=6, plateau=1.5)
    studio.work()
    _, more = post(studio, first, "more")
    studio.work()
    params = studio.client.get(f"/api/jobs/{more['id']}").json()["params"]
    assert (params["iterations"], params["enlarging"], params["plateau"]) == ([200], 200, 0.0)
    wanted = {"size": 2048, "iterations": [7, 5], "enlarging": 6, "plateau": 1.5}
    _, larger = post(studio, str(more["id"]), "larger")
    params = studio.client.get(f"/api/jobs/{larger['id']}").json()["params"]
    assert {name: params[name] for name in wanted} == wanted
    studio.client.delete(f"/api/jobs/{first}")
    _, larger = post(studio, str(more["id"]), "larger")
    params = studio.client.get(f"/api/jobs/{larger['id']}").json()["params"]
    assert (params["iterations"], params["enlarging"], params["plateau"]) == ([50, 20], 25, 2.0), "as the preset says"


def test_more_than_an_enlarged_picture_takes_at_once_is_refused(studio: Studio) -> None:
    large, small = studio.submit(size=1024), studio.submit(size=724)
    studio.work()
    studio.work()
    status, problem = post(studio, large, "more?iterations=501")
    assert (status, problem["code"]) == (422, "parameter")
    assert "larger than 724 pixels takes at most 500 more iterations" in str(problem["detail"])
    assert problem["errors"] == [{"field": "iterations", "detail": problem["detail"]}]
    status, more = post(studio, large, "more?iterations=500")
    assert status == 202
    params = studio.client.get(f"/api/jobs/{more['id']}").json()["params"]
    assert (params["iterations"], params["enlarging"]) == ([500], 500)
    assert post(studio, small, "more?iterations=5000")[0] == 202


def test_more_at_the_base_leaves_the_enlarging_alone(studio: Studio) -> None:
    first = studio.submit(size=64, enlarging=6)
    studio.work()
    _, more = post(studio, first, "more")
    assert studio.client.get(f"/api/jobs/{more['id']}").json()["params"]["enlarging"] == 6
    _, larger = post(studio, first, "larger")
    studio.client.post(f"/api/jobs/{larger['id']}/cancel")
    studio.work()
    begun = encode.read_rgb(studio.client.get(f"/api/jobs/{first}/result").content).shape
    digest = studio.client.get(f"/api/jobs/{more['id']}/receipt").json()["inputs"][-1]
    assert (digest["role"], digest["height"], digest["width"]) == ("start", *begun[:2])
    stored = studio.services.blobs.get(f"jobs/{more['id']}/start.png")
    assert digest["sha256"] == hashlib.sha256(stored).hexdigest()
