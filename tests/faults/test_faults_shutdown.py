"""A worker that is asked to end, as a new version or a reboot does."""

from __future__ import annotations

import signal

from app.jobs.models import State
from tests.faults.driver import Driver
from tests.faults.installation import Installation, until


def test_its_job_waits_with_its_state_and_goes_on(stack: Installation, driver: Driver) -> None:
    with driver.visitor() as visitor:
        job_id = visitor.surely(steps=30)
        until(lambda: (stack.row(job_id).checkpoint or {}).get("live", {}).get("iteration", 0) >= 5, "it has a state to go on from")
        crashes = stack.row(job_id).crashes
        before = stack.signal("worker", signal.SIGTERM)
        until(lambda: stack.row(job_id).state == State.QUEUED, "it is given back")
        waits = stack.row(job_id)
        assert waits.crashes == crashes
        assert waits.checkpoint is not None and waits.checkpoint["live"]["iteration"] >= 5
        stack.wait_for_restart("worker", before)
    stack.settle()
    done = stack.row(job_id)
    assert (done.state, done.crashes) == (State.DONE, crashes)
    assert (done.facts or {})["resumed_at"] >= 5
    assert stack.violations(driver.ledger) == []
