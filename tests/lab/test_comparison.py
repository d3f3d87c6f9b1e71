from __future__ import annotations

import numpy as np
import pytest

from app.core.report import Report
from app.lab.comparison import compare
from tests.lab.reports import report


def scaled(found: Report, by: float) -> Report:
    """Return the report with every replicate of AUROC, and the figure itself, lowered."""
    splits = tuple(
        split.model_copy(
            update={
                "test": {
                    **split.test,
                    "auroc": split.test["auroc"].model_copy(update={"value": round((split.test["auroc"].value or 0) - by, 6)}),
                },
                "replicates": {**split.replicates, "auroc": tuple(value - by for value in split.replicates["auroc"])},
            }
        )
        for split in found.splits
    )
    return found.model_copy(update={"splits": splits})


def test_an_experiment_compared_with_itself_is_not_different() -> None:
    found = compare(report(), report())
    assert found.paired
    assert [split.name for split in found.splits] == [split.name for split in report().splits]
    for split in found.splits:
        for one in split.differences:
            assert (one.difference, one.outcome) == (0, "unclear")
            assert one.interval is not None
            assert (one.interval.low, one.interval.high) == (0, 0)


def test_a_shift_in_every_sample_is_clear_however_wide_the_samples_spread() -> None:
    first = report()
    worse = compare(first, scaled(first, 0.01)).splits[2].differences[0]
    assert (worse.metric, worse.outcome, worse.difference) == ("auroc", "worse", pytest.approx(-0.01))
    assert worse.interval is not None
    assert (worse.interval.low, worse.interval.high) == pytest.approx((-0.01, -0.01))
    assert compare(scaled(first, 0.01), first).splits[2].differences[0].outcome == "better"


def test_the_interval_is_the_middle_of_the_paired_differences() -> None:
    first, second = report(signal=1.0), report(signal=3.0)
    found = compare(first, second)
    assert found.paired
    for split in found.splits:
        ours, theirs = (next(one for one in each.splits if one.name == split.name) for each in (first, second))
        for one in split.differences:
            apart = np.array(theirs.replicates[one.metric]) - np.array(ours.replicates[one.metric])
            assert one.interval is not None
            assert (one.interval.low, one.interval.high) == pytest.approx(tuple(np.quantile(apart, (0.025, 0.975))), abs=1e-6)
    headline = next(split for split in found.splits if split.name == "content")
    assert next(one for one in headline.differences if one.metric == "auroc").outcome == "better"
    # Of the Brier score less is better.
    assert next(one for one in headline.differences if one.metric == "brier").difference < 0
    assert next(one for one in headline.differences if one.metric == "brier").outcome == "better"


def test_other_pictures_have_no_paired_intervals() -> None:
    found = compare(report(), report(contents=8))
    assert not found.paired
    assert "different pictures" in found.note
    assert {one.interval for split in found.splits for one in split.differences} == {None}
    assert {one.outcome for split in found.splits for one in split.differences} == {"unclear"}


def test_the_same_pictures_divided_differently_have_none_either() -> None:
    found = compare(report(), report(seed=7))
    assert not found.paired
    assert "divided differently" in found.note


def test_a_control_with_shuffled_labels_is_not_paired_with_the_real_labels() -> None:
    found = report()
    shuffled = found.model_copy(update={"spec": found.spec.model_copy(update={"shuffle_labels": True})})
    assert not compare(found, shuffled).paired
    assert compare(shuffled, shuffled).paired
