from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from workers.verdict.permutation import on_refits, on_scores, swapped

PAIRS = np.repeat(["a", "b", "c", "d"], 2)
LABEL = np.tile([0, 1], 4)


def test_labels_are_swapped_within_contents_alone() -> None:
    content = np.array(["a", "a", "a", "b", "b", "c"])
    label = np.array([0, 1, 1, 0, 1, 0])
    found = swapped(label, content, 500, np.random.default_rng(0))
    assert set(found[:, :3].sum(axis=1)) == {2}
    assert set(found[:, 3:5].sum(axis=1)) == {1}
    assert not found[:, 5].any()
    # Every arrangement comes about as often as every other.
    assert found[:, :5].mean(axis=0) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1 / 2, 1 / 2], abs=0.08)


def test_p_is_that_of_all_arrangements() -> None:
    score = np.array([0.1, 0.3, 0.5, 0.45, 0.2, 0.6, 0.35, 0.7])
    choices = itertools.product([0, 1], repeat=4)
    values = [roc_auc_score(np.array([[one, 1 - one] for one in choice]).ravel(), score) for choice in choices]
    expected = np.mean(np.array(values) >= roc_auc_score(LABEL, score) - 1e-9)
    found = on_scores(LABEL, PAIRS, [(np.arange(8), score)], 4000, 0)
    assert found is not None
    assert found.p == pytest.approx(expected, abs=0.02)
    assert found.observed == pytest.approx(roc_auc_score(LABEL, score), abs=1e-6)
    assert not found.refitted


def test_four_pairs_allow_no_smaller_p_than_one_in_sixteen() -> None:
    found = on_scores(LABEL, PAIRS, [(np.arange(8), LABEL + 0.0)], 5000, 0)
    assert found is not None
    assert found.smallest == pytest.approx(1 / 16)
    assert found.p >= 1 / 16
    few = on_scores(LABEL, PAIRS, [(np.arange(8), LABEL + 0.0)], 9, 0)
    assert few is not None
    assert few.smallest == pytest.approx(1 / 10)
    assert few.contents == 4


def test_several_runs_on_noise_call_it_a_finding_no_more_often_than_they_may() -> None:
    """Five divisions of the same pictures, a classifier for each, and nothing to find."""
    rng = np.random.default_rng(0)
    label, content = np.tile([0, 1], 20), np.repeat(np.arange(20).astype(str), 2)
    ps = []
    for seed in range(600):
        features = rng.standard_normal((40, 10))
        runs = []
        for _ in range(5):
            test = np.isin(np.repeat(np.arange(20), 2), rng.permutation(20)[:6])
            direction = features[~test & (label == 1)].mean(axis=0) - features[~test & (label == 0)].mean(axis=0)
            runs.append((np.flatnonzero(test), features[test] @ direction))
        found = on_scores(label, content, runs, 99, seed)
        assert found is not None
        ps.append(found.p)
    # One in twenty of 600 is 30, give or take 5.3.
    assert sum(p <= 0.05 for p in ps) <= 36


def test_the_p_of_several_runs_is_ruger_s() -> None:
    rng = np.random.default_rng(1)
    several = [rng.random(8) + 0.5 * LABEL for _ in range(5)]
    alone = []
    for score in several:
        ways = itertools.product([0, 1], repeat=4)
        values = [roc_auc_score(np.array([[one, 1 - one] for one in way]).ravel(), score) for way in ways]
        alone.append(np.mean(np.array(values) >= roc_auc_score(LABEL, score) - 1e-9))
    for count, least in ((2, 1), (3, 2), (4, 2), (5, 3)):
        found = on_scores(LABEL, PAIRS, [(np.arange(8), score) for score in several[:count]], 4000, 0)
        assert found is not None
        assert found.p == pytest.approx(min(1, sorted(alone[:count])[least - 1] * count / least), abs=0.04)
        assert found.smallest == pytest.approx(count / least / 16)
        assert found.observed == pytest.approx(np.mean([roc_auc_score(LABEL, score) for score in several[:count]]), abs=1e-6)


def test_without_a_content_of_both_labels_there_is_nothing_to_swap() -> None:
    assert on_scores(LABEL, np.array(list("abcdefgh")), [(np.arange(8), LABEL + 0.0)], 10, 0) is None


def test_more_features_than_pictures_separate_any_labelling() -> None:
    features = np.random.default_rng(0).standard_normal((40, 200))
    label, content = np.tile([0, 1], 20), np.repeat(np.arange(20).astype(str), 2)
    found = on_refits(features, label, content, "logistic", 1000.0, 19, 0)
    assert found is not None
    assert (found.observed, found.p, found.refitted) == (1.0, 1.0, True)
    assert found.swaps == 10, "more would not make p small"


def test_a_real_difference_beats_every_swap_after_fitting_again() -> None:
    rng = np.random.default_rng(0)
    label, content = np.tile([0, 1], 40), np.repeat(np.arange(40).astype(str), 2)
    features = rng.standard_normal((80, 3))
    features[:, 0] += 3 * label
    told: list[int] = []
    found = on_refits(features, label, content, "logistic", 1.0, 19, 0, lambda: told.append(1))
    assert found is not None
    assert len(told) == 19
    assert found.p == found.smallest == 1 / 20
