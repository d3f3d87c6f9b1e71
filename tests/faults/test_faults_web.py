"""The web server is killed while pictures come in."""

from __future__ import annotations

import pytest

from tests.faults.checks import unnamed
from tests.faults.crash_points import WEB_POINTS
from tests.faults.driver import Driver
from tests.faults.installation import Installation
from tests.faults.visitor import Crowd

KILLS = 3


def test_no_acknowledged_upload_is_missing(stack: Installation, driver: Driver) -> None:
    with Crowd(stack.address, driver.ledger, lambda: True, people=2, steps=1) as crowd:
        for _ in range(KILLS):
            driver.kill_web()
            seen = len(driver.ledger)
            driver.wait_for_uploads(seen + 2)
    stack.settle()
    assert crowd.surprises == []
    assert len(driver.ledger) >= 2 * KILLS
    assert stack.violations(driver.ledger) == []


@pytest.mark.parametrize("point", [point for point in WEB_POINTS if point != "after-inputs"])
def test_an_upload_that_dies_half_way_is_whole_or_not_there(stack: Installation, driver: Driver, point: str) -> None:
    rows = len(stack.rows())
    with driver.visitor() as visitor:
        driver.arm("web", point)
        assert visitor.submit(steps=2) is None, "nobody was told that it is there"
        driver.wait_for_crash("web", point)
        has_row = point in ("after-row", "before-answer")
        visitor.surely(steps=2)
    stack.settle()
    assert stack.violations(driver.ledger) == []
    assert len(stack.rows()) - rows == (4 if has_row else 2), "a row that is there is carried out, with its verdict"


def test_an_upload_without_a_row_is_nowhere_once_the_janitor_was_there(stack: Installation, driver: Driver) -> None:
    with driver.visitor() as visitor:
        driver.arm("web", "after-inputs")
        assert visitor.submit() is None
        driver.wait_for_crash("web", "after-inputs")
        visitor.surely(steps=2)
    stack.settle()
    assert unnamed(stack.rows(), stack.pictures), "the upload that died has left something"
    assert stack.clean() == []
    assert stack.violations(driver.ledger) == []
