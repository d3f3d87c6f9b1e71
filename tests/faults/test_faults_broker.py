"""The broker is killed, or loses everything, while jobs wait."""

from __future__ import annotations

import pytest

from app.jobs.models import STYLIZE, State
from tests.faults.driver import Driver
from tests.faults.installation import Installation, until

# What is promised, however slow the machine.
MOST_SECONDS = 60.0
QUEUED = 30
# They keep the worker busy until the harm is done.
BUSY, FOR_EVER = 2, 2_000


@pytest.mark.parametrize("harm", ["kill_broker", "flush_broker"])
def test_every_queued_job_finishes_within_a_minute(stack: Installation, driver: Driver, harm: str) -> None:
    with driver.visitor() as visitor:
        before = [visitor.surely(steps=FOR_EVER) for _ in range(BUSY)]
        until(lambda: len([job for job in stack.running(STYLIZE) if job.preview]) == BUSY, "the worker is busy")
        waiting = [visitor.surely(steps=2) for _ in range(QUEUED)]
        getattr(driver, harm)()
        assert all(stack.row(job_id).state == State.QUEUED for job_id in waiting)
        for job_id in before:
            until(lambda job_id=job_id: visitor.ask("POST", f"/api/jobs/{job_id}/stop").is_success, "a stop is taken")
        assert stack.settle(MOST_SECONDS) < MOST_SECONDS
        # Those who come afterwards are served too.
        visitor.surely(steps=2)
    stack.settle()
    assert stack.violations(driver.ledger) == []
