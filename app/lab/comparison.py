"""Two experiments side by side: which figures differ by more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from app.core.experiments import SplitName
from app.core.report import METRICS, Interval, MetricName, Report, SplitReport

_TAIL = 0.025
Outcome = Literal["better", "worse", "unclear"]


@dataclass(frozen=True)
class Difference:
    """One metric on one split.

    Attributes:
        first, second: the two experiments' test figures.
        difference: second − first.
        interval: of the difference, by paired bootstrap; None where the pictures are not the same.
        outcome: of the second against the first: clear only where the interval leaves out zero.
    """

    metric: MetricName
    title: str
    first: float
    second: float
    difference: float
    interval: Interval | None
    outcome: Outcome


@dataclass(frozen=True)
class ComparedSplit:
    name: SplitName
    title: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Comparison:
    """Two reports compared.

    Attributes:
        paired: both are about the same pictures in the same test parts, so differences have intervals.
        note: the same in words, or why not.
        splits: those that both measured.
    """

    paired: bool
    note: str
    splits: tuple[ComparedSplit, ...]


def compare(first: Report, second: Report) -> Comparison:
    """Return what the second experiment does better or worse than the first.

    Both are resampled alike, content by content and style by style, so that the difference is
    taken within each resample: what makes a sample hard for both cancels.
    """
    paired, note = _pairing(first, second)
    theirs = {one.name: one for one in second.splits}
    splits = tuple(
        ComparedSplit(one.name, one.title, tuple(_differences(one, theirs[one.name], paired=paired)))
        for one in first.splits
        if one.name in theirs
    )
    return Comparison(paired, note, splits)


def _pairing(first: Report, second: Report) -> tuple[bool, str]:
    if first.fingerprint != second.fingerprint:
        return (
            False,
            "The two experiments are about different pictures: their figures stand side by side, without intervals of the difference.",
        )
    if first.spec.shuffle_labels != second.spec.shuffle_labels:
        return False, "One of the two has shuffled labels, so its styles are not the other's: differences have no intervals."
    ours = {one.name: [run.test_pictures for run in one.runs] for one in first.splits}
    theirs = {one.name: [run.test_pictures for run in one.runs] for one in second.splits}
    if any(ours[name] != theirs[name] for name in ours.keys() & theirs.keys()):
        return False, (
            "The same pictures, but divided differently (seeds, test share or an early end): differences have no intervals. "
            "Run both with the same seeds and test share."
        )
    return True, "The same pictures, divided the same way: intervals are those of the paired difference."


def _differences(first: SplitReport, second: SplitReport, *, paired: bool) -> list[Difference]:
    found = []
    for name in METRICS:
        one, other = first.test[name].value, second.test[name].value
        ours, theirs = first.replicates.get(name), second.replicates.get(name)
        if one is None or other is None or ours is None or theirs is None:
            continue
        # With different numbers of resamples, the first ones are still the same.
        interval = _middle([after - before for before, after in zip(ours, theirs, strict=False)]) if paired else None
        found.append(
            Difference(
                metric=name,
                title=METRICS[name].title,
                first=one,
                second=other,
                difference=round(other - one, 6),
                interval=interval,
                outcome=_outcome(interval, METRICS[name].best),
            )
        )
    return found


def _middle(values: list[float]) -> Interval:
    """Return the middle 95 % of values, interpolating between neighbours."""
    ordered = sorted(values)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

    return Interval(low=round(at(_TAIL), 6), high=round(at(1 - _TAIL), 6))


def _outcome(interval: Interval | None, best: int) -> Outcome:
    if interval is None or interval.low <= 0 <= interval.high:
        return "unclear"
    return "better" if (interval.low > 0) == (best == 1) else "worse"
