"""What is logged of a job says of which, and of which attempt, in fields of their own."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import numpy as np
import pytest

from app.core.logging import Json
from app.infra.clients import Clients
from app.jobs.models import Job, State
from app.jobs.sweeper import Sweeper
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Stylizing

AddJob = Callable[..., Job]


def told(caplog: pytest.LogCaptureFixture, logger: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in caplog.text.splitlines()]
    return [line for line in lines if line["logger"] == logger]


@pytest.fixture
def as_json(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.handler.setFormatter(Json())
    caplog.set_level(logging.INFO)
    return caplog


def test_from_its_claim_on(clients: Clients, add_job: AddJob, as_json: pytest.LogCaptureFixture) -> None:
    job = add_job()
    grey = np.full((40, 60, 3), 90, np.uint8)
    assert Runtime(clients).run_one(Stylizing, lambda sitting, on_progress: Outcome(grey, {"iterations": 0}))
    lines = told(as_json, "workers.runtime.life")
    assert [str(line["message"]).partition(":")[0] for line in lines] == ["claimed", "ended"]
    assert {(line.get("job"), line.get("attempt")) for line in lines} == {(job.id, 1)}


def test_when_its_lease_expires(sweeper: Sweeper, add_job: AddJob, as_json: pytest.LogCaptureFixture) -> None:
    dead = [add_job(state=State.RUNNING, attempt=attempt, lease_until=1.0) for attempt in (1, 2)]
    sweeper.sweep()
    lines = told(as_json, "app.jobs.sweeper")
    assert [(line["message"], line.get("job"), line.get("attempt")) for line in lines] == [
        (f"lease expired: job={job.id} attempt={job.attempt} crashes=1 now=queued", job.id, job.attempt) for job in dead
    ]
