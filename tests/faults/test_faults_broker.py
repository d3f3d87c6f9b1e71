"""The broker is killed, or loses everything, while jobs wait."""

from __future__ import annotations

import pytest

from tests.faults.driver import Driver
from tests.faults.installation import Installation

# What is promised, however slow the machine.
MOST_SECONDS = 60.0
QUEUED = 30


@pytest.mark.parametrize("harm", ["kill_broker", "flush_broker"])
def test_every_queued_job_finishes_within_a_minute(stack: Installation, driver: Driver, harm: str) -> None:
    with driver.visitor() as visitor:
        for _ in range(QUEUED):
            visitor.surely(steps=4)
        getattr(driver, harm)()
        assert stack.settle(MOST_SECONDS) < MOST_SECONDS
        # Those who come while it is away, or just back, are served too.
        visitor.surely(steps=2)
    stack.settle()
    assert stack.violations(driver.ledger) == []
