"""Verdicts on the page without JavaScript: on a finished job, and on a picture given alone."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from app.core.commission import Commission
from app.core.errors import EngineError
from app.core.progress import Losses, OnProgress, Progress
from app.core.verdicts import Judgement, Verdict
from tests.verdict_double import DETECTOR, Brightness
from tests.web.conftest import FACTS, Studio, picture
from workers.runtime.stylizing import Outcome
from workers.tasks import verdict


class Broken(Brightness):
    def judge(self, pixels: np.ndarray) -> Judgement:
        raise EngineError("The detector's file is damaged. Start again to fetch it anew.")


def judged(studio: Studio, detector: type[Brightness] = Brightness) -> None:
    assert verdict.run(studio.runtime, detector)


def brighten(commission: Commission, on_progress: OnProgress) -> Outcome:
    """Five iterations of grey 50, 100 … 250: by the double's sum, 100 is original, 150 already stylised."""
    for n in range(1, 6):
        grey = np.full((40, 60, 3), 50 * n, np.uint8)
        on_progress(Progress("refine", 60, n, 5, n / 5, Losses(1.0, 2.0 / n, 0.0, 3.0), n / 4, None, grey))
    return Outcome(grey, FACTS)


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def ask(studio: Studio, name: str = "harbour.png", **fields: str) -> str:
    given = {"picture": (name, picture(colour=(255, 255, 255)), "image/png")}
    answer = studio.client.post("/verdicts", files=given if not fields else None, data=fields)
    assert answer.status_code == 303, answer.text
    address: str = answer.headers["location"]
    return address


def test_a_finished_job_shows_three_cards_and_its_run(studio: Studio) -> None:
    job_id = studio.submit(size=64)
    studio.work(brighten)
    waiting = studio.client.get(f"/jobs/{job_id}").text
    assert re.search(r'sse-connect="/verdicts/[0-9a-f]{32}/stream"', waiting)
    assert text(waiting).count("Not judged yet") == 3
    assert f'<noscript><a class="button quiet" href="/jobs/{job_id}">Refresh</a></noscript>' in waiting
    judged(studio)
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "/stream" not in page
    words = text(page)
    # Grey values by hand: photograph and painting (200 + 120 + 40) / 3 = 120, logit 120 / 32 − 4 = −0.25; result 250, logit 3.81.
    for said in ("Photograph Uncertain", "44 % probability of stylised", "Result Stylised", "98 % probability of stylised"):
        assert said in words
    assert "Uncertain from 40 % to 60 %" in words
    assert "Cells for stylised +7.81 Cells for original 0.00 Bias, the same for all −4.00 Cells + bias = logit +3.81" in words
    # 1 / (1 + exp(4 − 100 / 32)) = 0.29 at iteration 2, 0.67 at iteration 3.
    assert "Becomes stylised at iteration 3." in words
    assert re.findall(r"Iteration \d+: [^<]*", page.split('class="film')[1]) == [
        "Iteration 1: 8 %, original",
        "Iteration 2: 29 %, original",
        "Iteration 3: 67 %, stylised",
        "Iteration 4: 90 %, stylised",
        "Iteration 5: 98 %, stylised",
    ]
    for address in set(re.findall(r'(?:src|href)="(/api/[^"]*/pictures/[^"]*)"', page)):
        assert studio.client.get(address).status_code == 200, address
    # The double is not the shipped detector, whose figures would be another's.
    assert "a detector made in the Lab" in words and "It has learnt from" not in words
    # The receipt inside the picture says it too.
    assert "Result stylised, 98 % Stylised from iteration 3" in words and f"Detector {DETECTOR}" in words
    download = re.search(r'href="(/api/verdicts/[^"]*)" download', page)
    assert download
    said = Verdict.model_validate(json.loads(studio.client.get(download[1]).content))
    assert (list(said.judgements), said.became) == (["content", "style", "result"], 3)


def test_the_pages_carry_no_style_of_their_own(studio: Studio) -> None:
    job_id = studio.finished()
    judged(studio)
    for address in (f"/jobs/{job_id}", "/verdict", ask(studio)):
        page = studio.client.get(address).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>", page), address


def test_a_verdict_moves_by_its_stream_and_the_stream_ends(studio: Studio) -> None:
    job_id = studio.finished()
    verdict_id = studio.client.get(f"/api/jobs/{job_id}/verdict").json()["id"]
    judged(studio)
    with studio.client.stream("GET", f"/verdicts/{verdict_id}/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        body = answer.read().decode()
    kinds = re.findall(r"^event: (\w+)", body, re.MULTILINE)
    assert kinds == ["verdict", "ended"]
    shown = "\n".join(line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: "))
    # What is swapped in, cards and receipt, is what a reload shows.
    page = re.sub(r"\s+", " ", studio.client.get(f"/jobs/{job_id}").text)
    parts = re.sub(r"\s+", " ", shown.replace(' hx-swap-oob="true"', "")).split('<div id="receipt-facts">')
    assert len(parts) == 2
    assert all(part.strip() in page for part in parts)
    assert studio.new_client().get(f"/verdicts/{verdict_id}/stream").status_code == 404


def test_a_failed_verdict_says_why_and_can_be_tried_again(studio: Studio) -> None:
    job_id = studio.finished()
    judged(studio, Broken)
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "There is no verdict" in page and "The detector&#39;s file is damaged." in page
    assert "Download PNG" in page, "the picture is there all the same"
    again = re.search(r'action="(/verdicts/[0-9a-f]{32}/again)"', page)
    assert again
    answer = studio.client.post(again[1])
    assert answer.status_code == 303
    assert studio.client.get(answer.headers["location"]).headers["location"] == f"/jobs/{job_id}#verdict"
    judged(studio)
    assert "Result Original" in text(studio.client.get(f"/jobs/{job_id}").text)
    assert studio.client.post(again[1]).status_code == 409


def test_a_picture_that_has_no_verdict_can_have_one(studio: Studio) -> None:
    job_id = studio.finished()
    row = studio.services.verdicts.of_job(studio.services.jobs.history(owner_of(studio))[0].owner, job_id)
    with studio.services.database.write() as session:
        session.delete(session.merge(row))
    page = studio.client.get(f"/jobs/{job_id}").text
    assert "Ask for a verdict" in page
    assert studio.client.post(f"/jobs/{job_id}/verdict").headers["location"] == f"/jobs/{job_id}#verdict"
    judged(studio)
    assert "Result Original" in text(studio.client.get(f"/jobs/{job_id}").text)


def owner_of(studio: Studio) -> str:
    owner = studio.services.signer.read(studio.client.cookies["pentimento_owner"])
    assert owner
    return owner


def test_from_a_picture_alone_to_its_verdict_and_back(studio: Studio) -> None:
    assert studio.client.get("/verdict").status_code == 200
    address = ask(studio)
    waiting = studio.client.get(address).text
    assert '<noscript><meta http-equiv="refresh"' in waiting and "Being judged" in waiting
    judged(studio)
    page = studio.client.get(address).text
    words = text(page)
    # White: logit 255 / 32 − 4 = 3.97.
    assert "Stylised" in words and "98 % probability of stylised" in words and 'http-equiv="refresh"' not in page
    assert "Your other verdicts" not in page
    for found in set(re.findall(r'(?:src|href)="(/api/[^"]*/pictures/[^"]*)"', page)):
        assert studio.client.get(found).status_code == 200, found
    assert "Stylised · 98 % stylised" in text(studio.client.get("/verdict").text)
    stranger = studio.new_client()
    assert stranger.get(address).status_code == 404
    assert "harbour.png" not in stranger.get("/verdict").text
    deleted = studio.client.post(f"{address}/delete")
    after = studio.client.get(deleted.headers["location"]).text
    assert "Deleted: harbour.png" in after and "No picture judged yet." in after
    assert studio.client.get(address).status_code == 404
    restored = studio.client.post(f"{address}/restore")
    assert studio.client.get(restored.headers["location"]).status_code == 200


def test_a_sample_can_be_judged_by_its_name(studio: Studio) -> None:
    sample = studio.services.samples.of("style")[0]
    address = ask(studio, picture_sample=sample.name)
    assert sample.title in studio.client.get(address).text


def test_older_verdicts_are_on_further_pages(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.routes.page_verdicts.HISTORY_PAGE", 2)
    for name in ("one.png", "two.png", "three.png"):
        ask(studio, name)
    first = studio.client.get("/verdict").text
    assert "three.png" in first and "one.png" not in first
    older = re.search(r'href="(/verdict\?before=[^"#]*)', first)
    assert older
    second = studio.client.get(older[1]).text
    assert "one.png" in second and "three.png" not in second and 'href="/verdict#verdicts-title"' in second


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "Choose a picture: a file of your own or one of the samples."),
        (("notes.png", b"no picture"), "This file is text, not a picture."),
        (("large.png", b"\x89PNG" + b"a" * 300_000), "This file is larger than 0.2 MB."),
    ],
)
def test_a_refused_picture_is_told_at_its_field(studio: Studio, given: tuple[str, bytes] | None, said: str) -> None:
    files = {"picture": given or ("", b"")}
    page = studio.client.post("/verdicts", files=files)
    assert page.status_code in (413, 422)
    shown = re.search(r'id="picture-error"[^>]*>([^<]*)<', page.text)
    assert shown and shown[1].startswith(said)
    assert "<title>Error: Verdict" in page.text
    part = studio.client.post("/verdicts", files=files, headers={"HX-Request": "true"})
    assert part.status_code == page.status_code
    assert re.search(r'id="picture-error"[^>]*hx-swap-oob="true">([^<]*)<', part.text)[1].startswith(said)  # type: ignore[index]


def test_htmx_is_led_to_the_verdict(studio: Studio) -> None:
    given = {"picture": ("one.png", picture(), "image/png")}
    answer = studio.client.post("/verdicts", files=given, headers={"HX-Request": "true"})
    assert re.fullmatch(r"/verdicts/[0-9a-f]{32}", answer.headers["HX-Redirect"])
