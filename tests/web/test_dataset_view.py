"""What a dataset holds, in words: never counts of what has not been looked at."""

from __future__ import annotations

import pytest

from app.jobs.models import State
from app.lab.models import Arrival, Dataset
from app.lab.schemas import detail, event_of
from app.web.dataset_view import DatasetView, view


def shown(arrival: Arrival, taken: int, *, cancelled: bool = False, roles: dict[str, int] | None = None) -> DatasetView:
    row = Dataset(
        id="d" * 32,
        name="Harbour",
        kind="stylised",
        arrival=arrival,
        cancelled=cancelled,
        total=4,
        planned=8,
        taken=taken,
        skipped=[],
        duplicates=[],
        spec={},
        created_at=0.0,
    )
    states = {State.QUEUED: 4} if arrival == Arrival.READY else {}
    return view(detail(row, event_of(row, roles or {}, states), {}, {}))


def test_while_files_are_taken_in_progress_is_told_instead_of_counts() -> None:
    dataset = shown(Arrival.UNPACKING, 1, roles={"content": 1})
    assert (dataset.state, dataset.contents_of_it, dataset.line) == ("Taking in…", "4 files", "Taking in file 2 of 4")
    assert dataset.percent == 12


@pytest.mark.parametrize("arrival", [Arrival.UNPACKING, Arrival.FAILED])
def test_what_ended_before_all_was_taken_in_says_how_far_it_came(arrival: Arrival) -> None:
    assert shown(arrival, 0, cancelled=True).contents_of_it == "0 of 4 files taken in"


def test_once_all_is_taken_in_contents_and_styles_are_counted() -> None:
    roles = {"content": 3, "style": 1, "stylised": 3}
    assert shown(Arrival.READY, 4, roles=roles).contents_of_it == "3 contents × 1 style"
