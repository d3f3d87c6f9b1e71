"""A large installation: rows in PostgreSQL, pictures in an object store, and workers that are killed all the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.imaging import encode
from app.jobs.models import State
from tests.faults import checks
from tests.faults.driver import Driver
from tests.faults.engine import painted
from tests.faults.installation import Installation

KILLS = 2


@pytest.fixture
def large(tmp_path: Path, postgresql_url: str, s3_url: str) -> Iterator[Installation]:
    env = {"PENTIMENTO_DATABASE_URL": postgresql_url, "PENTIMENTO_BLOBS_URL": s3_url}
    with Installation(
        tmp_path / "data", {**env, **{name: value for name, value in os.environ.items() if name.startswith("AWS_")}}
    ) as stack:
        yield stack


def test_every_picture_is_there_whatever_is_killed(large: Installation) -> None:
    driver = Driver(large, seed=1)
    with driver.visitor() as visitor:
        jobs = [visitor.surely(steps=20) for _ in range(KILLS + 1)]
        for _ in range(KILLS):
            driver.kill_worker()
        driver.kill_web()
        jobs.append(visitor.surely(steps=20))
        large.settle()
        rows = large.rows()
        steps = checks.steps_of(large.database)
        found = [
            *checks.lost(rows, driver.ledger),
            *checks.wrong_ends(rows, driver.ledger),
            *checks.wrong_steps(steps),
            *checks.unjudged(rows),
        ]
        assert found == []
        for job_id in jobs:
            answer = visitor.ask("GET", f"/api/jobs/{job_id}/pictures/{large.row(job_id).result}")
            assert answer.status_code == 200, answer.text
            np.testing.assert_array_equal(encode.read_rgb(answer.content), painted(driver.ledger[job_id].seed))
    mine = [job for job in rows if job.id in driver.ledger]
    assert {job.state for job in mine} == {State.DONE}
    assert sum(job.attempt - 1 for job in mine) >= 1, "the kills met jobs"
    assert any((job.facts or {}).get("resumed_at") for job in mine), "some went on from where they were"
    assert not (large.data / "pictures").exists(), "nothing lies here instead"
    assert not (large.data / "pentimento.db").exists()
