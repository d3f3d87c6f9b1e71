"""Figures for an operator: right, complete where something is away, and about nobody."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import ConnectionError as BrokerAway

from app.jobs.models import EXPERIMENT, STYLIZE, VERDICT
from tests.web.conftest import Studio, two_pictures

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def figures(studio: Studio) -> Figures:
    answer = studio.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name.removeprefix("pentimento_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


def test_a_job_is_counted_from_its_queue_to_its_end(studio: Studio) -> None:
    before = figures(studio)
    assert of("jobs", kind=STYLIZE, state="queued") not in before
    studio.submit(size=64)
    waiting = figures(studio)
    assert waiting[of("jobs", kind=STYLIZE, state="queued")] == 1
    assert waiting[of("queue_messages", kind=STYLIZE)] == 1
    assert {kind for kind in (STYLIZE, VERDICT, EXPERIMENT) if of("queue_messages", kind=kind) in waiting} == {STYLIZE, VERDICT, EXPERIMENT}
    studio.work()
    done = figures(studio)
    assert done[of("jobs", kind=STYLIZE, state="done")] == 1
    assert done[of("waiting_total", kind=STYLIZE)] == done[of("attempts_total", kind=STYLIZE, outcome="done")] == 1
    assert 0 <= done[of("waiting_seconds_total", kind=STYLIZE)] < 60
    assert 0 < done[of("running_seconds_total", kind=STYLIZE)] < 60
    assert done[of("iterations_total", kind=STYLIZE)] > 0
    assert done[of("iterations_per_second")] == 0, "nothing is being painted"
    assert done[of("disk_free_bytes")] > 0 and done[of("web_memory_bytes")] > 10_000_000


def test_failures_and_refusals_have_reasons(studio: Studio) -> None:
    studio.submit(size=64)

    def broken(*_: object) -> object:
        raise ZeroDivisionError

    studio.work(broken)
    found = figures(studio)
    assert found[of("failures_total", kind=STYLIZE, reason="broken")] == 1
    assert found[of("attempts_total", kind=STYLIZE, outcome="failed")] == 1
    assert of("refusals_total", status="429") not in found
    for _ in range(studio.settings.max_active_jobs):
        studio.submit(size=64)
    assert studio.client.post("/api/jobs", files=two_pictures(), data={"size": "64"}).status_code == 429
    assert figures(studio)[of("refusals_total", status="429")] == 1


def test_what_a_page_refuses_is_counted_as_what_the_api_does(studio: Studio) -> None:
    for service in (studio.services.jobs, studio.services.verdicts, studio.services.datasets):
        none = studio.settings.model_copy(update={"max_active_jobs": 0, "max_active_verdicts": 0, "max_lab_pictures": 0})
        object.__setattr__(service, "_settings", none)
    forms = ("/jobs", "/verdicts", "/lab/datasets", "/api/jobs")
    for count, path in enumerate(forms, start=1):
        assert studio.client.post(path, files=two_pictures()).status_code == 429, path
        assert figures(studio)[of("refusals_total", status="429")] == count, path
    part = studio.client.post("/jobs", files=two_pictures(), headers={"hx-request": "true"})
    assert part.status_code == 429
    object.__setattr__(studio.services.jobs, "_settings", studio.settings.model_copy(update={"min_free_mb": 1e12}))
    assert studio.client.post("/jobs", files=two_pictures()).status_code == 507
    found = figures(studio)
    assert (found[of("refusals_total", status="429")], found[of("refusals_total", status="507")]) == (len(forms) + 1, 1)


def test_that_nothing_can_be_painted_yet_is_no_refusal(studio: Studio) -> None:
    assert studio.client.get("/readyz").status_code == 503
    assert of("refusals_total", status="503") not in figures(studio)


def test_nobody_is_in_them(studio: Studio) -> None:
    job_id = studio.submit(size=64)
    studio.work()
    text = studio.client.get("/metrics").text
    row = studio.client.get(f"/api/jobs/{job_id}").json()
    assert job_id not in text
    assert not [name for name in row["inputs"] if str(row["inputs"][name].get("name", "\0")) in text]


def test_what_is_away_is_left_out(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> object:
        raise BrokerAway("away")

    monkeypatch.setattr("app.infra.tally.Tally.read", away)
    monkeypatch.setattr("app.infra.presence.present", away)
    found = figures(studio)
    assert of("disk_free_bytes") in found
    assert not [name for name, _ in found if name.startswith(("attempts", "workers", "queue"))]
