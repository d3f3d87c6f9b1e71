from __future__ import annotations

import numpy as np
import pytest

from app.core.report import Figure, Interval
from workers.study.differences import Answers, difference, differing, figure, outcome, scores


def answers(right: np.ndarray, tried: np.ndarray, klass: np.ndarray) -> Answers:
    names = np.arange(len(klass)).astype(str)
    return Answers(right.astype(bool), tried.astype(bool), klass, names, np.full(len(klass), ""))


def test_figures_by_hand() -> None:
    """Two cells, two seeds; each seed tests three of four pictures, of classes 0, 0, 1, 1."""
    tried = np.array([[1, 1, 1, 0], [0, 1, 1, 1]])
    right = np.array([[[1, 1, 0, 0], [0, 1, 1, 1]], [[0, 1, 1, 0], [0, 0, 1, 0]]])
    found = scores(answers(right, tried, np.array([0, 0, 1, 1])), 100)
    # First cell: 2 of 3 and 3 of 3; recalls 2/2, 0/1 and 1/1, 2/2.
    np.testing.assert_allclose(found.accuracy, [5 / 6, 3 / 6])
    np.testing.assert_allclose(found.balanced, [(0.5 + 1) / 2, (0.75 + 0.25) / 2])
    np.testing.assert_allclose(found.runs, [[2 / 3, 1], [2 / 3, 1 / 3]])
    gained = difference(found.accuracy, found.accuracies, [1], [0])
    assert gained.value == pytest.approx(-1 / 3, abs=1e-6)


def test_resampled_figures_against_a_slow_loop() -> None:
    """The same weights by picture, one resampling after another."""
    from workers.verdict.intervals import Resampler

    rng = np.random.default_rng(0)
    klass = rng.integers(3, size=20)
    tried = rng.random((2, 20)) < 0.6
    right = rng.random((3, 2, 20)) < 0.7
    given = answers(right, tried, klass)
    found = scores(given, 100)
    [weights] = Resampler(given.content, given.style, 100).weights(np.arange(20))
    by_seed = np.random.default_rng([2, 100]).standard_exponential((100, 2))
    for sample in (0, 57):
        for cell in range(3):
            hits = sum(by_seed[sample, s] * weights[sample, i] * right[cell, s, i] for s in range(2) for i in range(20) if tried[s, i])
            total = sum(by_seed[sample, s] * weights[sample, i] for s in range(2) for i in range(20) if tried[s, i])
            assert found.accuracies[sample, cell] == pytest.approx(hits / total, rel=1e-5)


def test_what_is_hard_for_both_cancels() -> None:
    """Two cells that agree but for eight pictures: the paired interval is less than half as wide as either's own."""
    rng = np.random.default_rng(1)
    first = rng.random((1, 200)) < 0.5
    second = first.copy()
    second[0, np.flatnonzero(~first[0])[:8]] = True
    found = scores(answers(np.stack([first, second]), np.ones((1, 200)), np.zeros(200, int)), 500)
    gained = difference(found.accuracy, found.accuracies, [1], [0])
    alone = figure(found.accuracy[1], found.accuracies[:, 1], found.clusters)
    assert gained.interval is not None and alone.interval is not None
    assert gained.interval.high - gained.interval.low < (alone.interval.high - alone.interval.low) / 2
    assert gained.interval.low > 0 and outcome(gained, differing(found.hits, [1], [0])) == "better"


def test_intervals_cover_as_often_as_they_say() -> None:
    """Two cells of equal accuracy, drawn anew: an interval leaves out zero about one time in twenty."""
    rng = np.random.default_rng(2)
    left_out = 0
    for _ in range(200):
        right = rng.random((2, 1, 60)) < 0.7
        found = scores(answers(right, np.ones((1, 60)), np.zeros(60, int)), 200)
        left_out += outcome(difference(found.accuracy, found.accuracies, [1], [0]), 60) != "unclear"
    assert 2 <= left_out <= 24


def test_all_right_has_an_exact_interval() -> None:
    found = figure(1.0, np.ones(100), 10)
    # (0.025)^(1/10)
    assert found.interval == Interval(low=0.691503, high=1.0, method="clopper_pearson")


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.01, 0.02, "better"), (-0.02, -0.01, "worse"), (-0.01, 0.02, "unclear"), (0, 0, "unclear")]
)
def test_a_difference_is_clear_where_its_interval_leaves_out_zero(low: float, high: float, expected: str) -> None:
    assert outcome(Figure(value=(low + high) / 2, interval=Interval(low=low, high=high)), 6) == expected


def test_a_handful_of_pictures_proves_nothing() -> None:
    """Five that all speak for one side: every resampling agrees, and a sign test does not (2 · ½⁵ > 0.05)."""
    first = np.zeros((1, 50), bool)
    second = first.copy()
    second[0, :5] = True
    found = scores(answers(np.stack([first, second]), np.ones((1, 50)), np.zeros(50, int)), 100)
    gained = difference(found.accuracy, found.accuracies, [1], [0])
    assert gained.interval is not None and gained.interval.low > 0
    assert differing(found.hits, [1], [0]) == 5 and outcome(gained, 5) == "unclear"
