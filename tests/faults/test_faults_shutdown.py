"""A worker that is asked to end, as a new version or a reboot does."""

from __future__ import annotations

from app.jobs.models import STYLIZE, State
from tests.faults.checks import steps_of
from tests.faults.driver import Driver
from tests.faults.installation import Installation, until


def test_its_job_waits_with_its_state_and_goes_on(stack: Installation, driver: Driver) -> None:
    with driver.visitor() as visitor:
        job_id = visitor.surely(steps=30)
        until(lambda: (stack.row(job_id).checkpoint or {}).get("live", {}).get("iteration", 0) >= 5, "it has a state to go on from")
        driver.shut_down_worker()
    stack.settle()
    done = stack.row(job_id)
    assert (done.state, done.attempt, done.crashes) == (State.DONE, 2, 0)
    assert (done.facts or {})["resumed_at"] >= 5
    own = [(step.old, step.new) for step in steps_of(stack.database) if step.id == job_id]
    running, queued = State.RUNNING, State.QUEUED
    assert own == [(queued, running), (running, queued), (queued, running), (running, State.DONE)]
    assert done.kind == STYLIZE
    assert stack.violations(driver.ledger) == []
