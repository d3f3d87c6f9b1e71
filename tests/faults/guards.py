"""Short runs with one guard switched off: what they report proves that the checks can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.jobs.models import STYLIZE, State
from tests.faults.checks import steps_of
from tests.faults.driver import Driver
from tests.faults.installation import Installation, until
from tests.faults.visitor import Visitor

# How long a run goes on after its harm: with the guard in place everything has ended by then.
_PATIENCE = 15.0
# What is to be read of each.
SIGNS = {
    "fencing": "ended 2 times",
    "claim": "went from running to running",
    "rename": "is not whole",
    "sweeper": "has not ended",
    "ack": "was acknowledged and is not there",
}


def run_without(guard: str, data: Path) -> list[str]:
    """Return the violations of a run without ``guard``."""
    with Installation(data, {"FAULTS_BREAK": guard}) as installation:
        driver = Driver(installation, 1)
        with driver.visitor() as visitor:
            HARMS[guard](driver, installation, visitor)
        installation.settle(_PATIENCE)
        return installation.violations(driver.ledger)


def _late_commit(driver: Driver, installation: Installation, visitor: Visitor) -> None:
    visitor.surely()
    job_id = driver.freeze_worker()
    ends = lambda: sum(step.id == job_id and step.new == State.DONE for step in steps_of(installation.database))  # noqa: E731
    until(lambda: ends() > 1, "the late worker commits")


def _two_at_once(driver: Driver, installation: Installation, visitor: Visitor) -> None:
    visitor.surely(steps=60)
    until(lambda: installation.running(STYLIZE), "it is being painted")
    driver.repeat_wake_ups(2)


def _half_a_picture(driver: Driver, installation: Installation, visitor: Visitor) -> None:
    driver.arm("web", "mid-write-content")
    visitor.submit()
    driver.wait_for_crash("web", "mid-write-content")


def _dead_worker(driver: Driver, installation: Installation, visitor: Visitor) -> None:
    visitor.surely(steps=60)
    until(lambda: installation.running(STYLIZE), "it is being painted")
    installation.wait_for_restart("worker", installation.kill("worker"))


def _dead_web(driver: Driver, installation: Installation, visitor: Visitor) -> None:
    visitor.surely()
    installation.wait_for_restart("web", installation.kill("web"))


HARMS: dict[str, Callable[[Driver, Installation, Visitor], None]] = {
    "fencing": _late_commit,
    "claim": _two_at_once,
    "rename": _half_a_picture,
    "sweeper": _dead_worker,
    "ack": _dead_web,
}
