"""The long run's own parts: what it plans, what it calls well, what it writes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.__main__ import BEGIN, DOCUMENT, END, between_markers
from tests.faults.driver import Driver
from tests.faults.guards import SIGNS
from tests.faults.installation import Installation
from tests.faults.soak import KILLS, OTHERS, Outcome, plan, table

MISSED = {guard: [f"{'a' * 32} {sign}"] for guard, sign in SIGNS.items()}


def names(folder: Path, seed: int) -> list[str]:
    return [name for name, _ in plan(Driver(Installation(folder), seed), KILLS, 1.0)]


def test_a_seed_decides_the_order_and_nothing_is_left_out(tmp_path: Path) -> None:
    assert names(tmp_path, 1) == names(tmp_path, 1) != names(tmp_path, 2)
    times = Counter(names(tmp_path, 1))
    assert times["kill −9 of the worker's group"] == 100
    assert times["SIGSTOP past the lease, then SIGCONT"] == OTHERS["freeze_worker"]


@pytest.mark.parametrize(
    ("differs", "is_well"),
    [
        ({}, True),
        ({"violations": ["a job has not ended"]}, False),
        ({"missed": {**MISSED, "claim": []}}, False),
        ({"missed": {**MISSED, "claim": ["something else"]}}, False),
        ({"attempts": 64}, False),
        ({"resumed": 0}, False),
        ({"wishes": Counter()}, False),
    ],
)
def test_a_run_is_well_where_nothing_is_violated_much_was_met_and_each_guard_is_missed(differs: dict[str, Any], is_well: bool) -> None:
    faults = Counter({"kill −9 of the worker's group": 10})
    outcome = Outcome(1, faults=faults, acknowledged=60, attempts=65, resumed=1, wishes=Counter({"stop": 1}), missed=MISSED)
    assert replace(outcome, **differs).is_well == is_well


def test_figures_take_the_place_of_older_ones() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert between_markers(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    written = DOCUMENT.read_text()
    assert written.count(BEGIN) == written.count(END) == 1


def test_the_table_says_how_often_each_harm_was_done_and_what_broke() -> None:
    lines = table(Outcome(1, faults=Counter({"FLUSHALL": 3}), missed=MISSED), "2026-01-01", "2 CPUs").splitlines()
    assert "| FLUSHALL | 3 |" in lines
    assert "| ack | 1 | … was acknowledged and is not there |" in lines
