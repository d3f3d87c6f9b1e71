"""Jobs that kill, hang or freeze their worker are given up with the reason, and others are served meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.jobs.models import State
from tests.faults import engine
from tests.faults.checks import Acknowledged
from tests.faults.driver import Driver
from tests.faults.installation import Installation, until

LIMITS = {
    "PENTIMENTO_MAX_CRASHES": "3",
    "PENTIMENTO_STALL_SECONDS": "2",
    # Half of it is what a well-behaved job may take.
    "PENTIMENTO_HARD_LIMIT_SECONDS": "8",
    "FAULTS_CONCURRENCY": "4",
    # Of none is a state stored, with which it could be ended otherwise: see tests/workers/test_failing.py.
    "PENTIMENTO_CHECKPOINT_SECONDS": "3600",
}
GIVEN_UP = "The worker died 3 times while painting this picture, so it was given up. Try a smaller size."


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, Driver, dict[int, str]]]:
    """An installation in which every kind of bad job has been given up, all at once."""
    with Installation(tmp_path_factory.mktemp("poison") / "data", LIMITS) as installation:
        driver = Driver(installation, 1)
        with driver.visitor() as visitor:
            jobs = {seed: visitor.surely(seed=seed) for seed in engine.MISBEHAVIOUR}
            next_one = visitor.surely(seed=1)
            installation.settle()
            last = visitor.surely(seed=2)
        installation.settle()
        for job_id in jobs.values():
            driver.ledger[job_id] = Acknowledged(driver.ledger[job_id].seed, frozenset({State.FAILED}))
        yield installation, driver, {**jobs, 1: next_one, 2: last}


@pytest.mark.parametrize(
    ("seed", "sign"),
    [
        (engine.ABORTS, "SIGABRT"),
        (engine.HANGS, "no progress for 2 s, giving up"),
        (engine.HOLDS_THE_GIL, "Hard time limit (8.0s) exceeded"),
    ],
)
def test_it_is_given_up_after_three_crashes_with_the_reason(
    poisoned: tuple[Installation, Driver, dict[int, str]], seed: int, sign: str
) -> None:
    installation, _, jobs = poisoned
    job = installation.row(jobs[seed])
    assert (job.state, job.crashes, job.error) == (State.FAILED, 3, GIVEN_UP)
    until(lambda: sign in (installation.data / "logs" / "worker.log").read_text(), sign)


def test_others_are_served_before_and_after(poisoned: tuple[Installation, Driver, dict[int, str]]) -> None:
    installation, driver, jobs = poisoned
    assert [installation.row(jobs[seed]).state for seed in (1, 2)] == [State.DONE, State.DONE]
    assert installation.violations(driver.ledger) == []
