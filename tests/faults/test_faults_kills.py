"""Kill -9 of the worker's process group at twenty random moments."""

from __future__ import annotations

from tests.faults.checks import unfinished
from tests.faults.driver import Driver
from tests.faults.installation import Installation
from tests.faults.visitor import Crowd

KILLS = 20
# Kept waiting or at work, so that every kill meets something.
DEPTH = 5


def test_every_acknowledged_job_ends_as_it_may_and_once_whatever_is_killed_and_wished_for(stack: Installation, driver: Driver) -> None:
    with Crowd(stack.address, driver.ledger, lambda: len(unfinished(stack.rows())) < DEPTH, people=1, fickle=0.4) as crowd:
        for number in range(KILLS):
            driver.kill_worker(at_work=number % 5 != 4)
    stack.settle()
    assert crowd.surprises == []
    assert stack.violations(driver.ledger) == []
    mine = [job for job in stack.rows() if job.id in driver.ledger]
    assert sum(job.attempt - 1 for job in mine) >= KILLS // 2, "the kills met jobs"
    assert sum(crowd.asked.values()) >= 3, "and people changed their minds"
    assert any((job.facts or {}).get("resumed_at") for job in mine), "some went on from where they were"
