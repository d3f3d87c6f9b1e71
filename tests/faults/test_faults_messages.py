"""Messages that come ten times, and workers that stand still past their lease."""

from __future__ import annotations

from app.jobs.models import State
from tests.faults.driver import Driver
from tests.faults.installation import Installation, until


def test_ten_wake_ups_make_one_result(stack: Installation, driver: Driver) -> None:
    with driver.visitor() as visitor:
        job_id = visitor.surely()
        driver.repeat_wake_ups(10)
    stack.settle()
    done = stack.row(job_id)
    assert (done.state, done.result) == (State.DONE, f"result-{done.attempt}.png")
    assert done.attempt == done.crashes + 1, "messages alone make no attempt"
    assert stack.violations(driver.ledger) == []


def test_what_a_worker_says_after_its_lease_is_refused(stack: Installation, driver: Driver) -> None:
    with driver.visitor() as visitor:
        # Ten seconds: on a busy machine one may be over before it is found running.
        job_id = visitor.surely(steps=200)
        assert driver.freeze_worker() == job_id
    refused = f"lease lost, nothing written: job={job_id} attempt=1"
    until(lambda: refused in (stack.data / "logs" / "worker.log").read_text(), "the late worker hears that it is late")
    stack.settle()
    done = stack.row(job_id)
    assert done.attempt > 1
    assert (done.state, done.result) == (State.DONE, f"result-{done.attempt}.png")
    assert stack.violations(driver.ledger) == []
