"""A worker that dies at each point where half of something is done."""

from __future__ import annotations

import pytest

from app.jobs.models import State
from tests.faults.checks import partial
from tests.faults.crash_points import WORKER_POINTS
from tests.faults.driver import Driver
from tests.faults.installation import Installation


@pytest.mark.parametrize("point", WORKER_POINTS)
def test_a_worker_that_dies_there_leaves_a_consistent_state(stack: Installation, driver: Driver, point: str) -> None:
    with driver.visitor() as visitor:
        driver.arm("worker", point)
        job_id = visitor.surely(steps=10)
        driver.wait_for_crash("worker", point)
        # Before anybody has cleaned up.
        assert list(partial(stack.pictures)) == []
        row = stack.row(job_id)
        has_ended = point in ("after-commit", "before-ack")
        assert (row.state == State.DONE) == has_ended or row.attempt > 1
    stack.settle()
    assert stack.violations(driver.ledger) == []
    assert (stack.row(job_id).attempt > 1) != has_ended


def test_a_judge_that_dies_gives_its_verdict_all_the_same(stack: Installation, driver: Driver) -> None:
    with driver.visitor() as visitor:
        for point in ("after-claim", "before-commit"):
            driver.arm("judge", point)
            visitor.surely(steps=2)
            driver.wait_for_crash("judge", point)
    stack.settle()
    assert stack.violations(driver.ledger) == []
