from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.core.experiments import ClassifierName
from workers.verdict.classifier import REGULARISATIONS, SOLVED, coordinates, fit, platt, refit, threshold_of


def pictures(n: int, d: int, gap: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 4 != 0
    features = 5 + 3 * rng.standard_normal((n, d))
    features[:, 0] += gap * label
    return features.astype(np.float32), label.astype(np.int64), np.array([f"c{row // 4}" for row in range(n)])


@pytest.mark.parametrize("shape", [(80, 10), (60, 300)])
def test_without_folds_it_is_scikit_learns_scaler_and_logistic_regression(shape: tuple[int, int]) -> None:
    features, label, _ = pictures(*shape, gap=3)
    found = fit(features, label, np.full(shape[0], "one"), "logistic", 0)
    # Standardised features are divided by √d here, so C = 1 is C = 1/d there.
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / shape[1], class_weight="balanced", tol=1e-8, max_iter=10000))
    model.fit(features.astype(np.float64), label)
    fresh = pictures(30, shape[1], gap=3, seed=9)[0]
    assert found.logit(fresh) == pytest.approx(model.decision_function(fresh.astype(np.float64)), abs=5e-3)
    assert (found.threshold, found.regularisation) == (0.5, 1.0)


def test_fewer_coordinates_give_the_same_classifier() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((20, 200)) / 14
    rows -= rows.mean(axis=0)
    label = np.arange(20) % 2
    short, back = coordinates(rows)
    assert short.shape == (20, 20)
    assert short @ short.T == pytest.approx(rows @ rows.T, abs=1e-6)
    weights, bias = refit(short, label, "logistic", 1.0)
    direct, direct_bias = refit(rows, label, "logistic", 1.0)
    assert back(weights) == pytest.approx(direct, abs=4e-3)
    assert bias == pytest.approx(direct_bias, abs=4e-3)
    assert rows @ back(weights) == pytest.approx(short @ weights, abs=1e-5)


@pytest.mark.parametrize("kind", ["logistic", "linear_svm"])
def test_it_separates_new_pictures_and_knows_how_sure_it_may_be(kind: ClassifierName) -> None:
    features, label, groups = pictures(400, 20, gap=6)
    found = fit(features, label, groups, kind, 0)
    fresh, truth, _ = pictures(2000, 20, gap=6, seed=1)
    probability = found.probability(fresh)
    # Two normals, two deviations apart: the best possible AUROC is Φ(√2) = 0.921.
    assert 0.88 < roc_auc_score(truth, probability) < 0.935
    assert balanced_accuracy_score(truth, probability >= found.threshold) > 0.8
    assert found.regularisation in REGULARISATIONS
    # Of those given p near 0.8, with both classes weighing the same, about 0.8 are stylised.
    near = (probability > 0.7) & (probability < 0.9)
    weight = np.where(truth == 1, 1 / truth.sum(), 1 / (truth == 0).sum())
    assert np.average(truth[near], weights=weight[near]) == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("kind", ["logistic", "linear_svm"])
def test_each_solution_is_told(kind: ClassifierName) -> None:
    features, label, groups = pictures(80, 30, gap=3)
    told: list[int] = []
    fit(features, label, groups, kind, 7, on_solved=lambda: told.append(1))
    assert len(told) == SOLVED == 21
    fit(features, label, groups, kind, 7, kept=np.arange(80) >= 60, on_solved=lambda: told.append(1))
    assert len(told) == 21 + 6


def test_with_pictures_kept_back_the_weights_come_from_the_others() -> None:
    features, label, groups = pictures(80, 10, gap=3)
    kept = np.arange(80) >= 60
    other = np.where(kept, 1 - label, label)
    one, turned = (fit(features, truth, groups, "logistic", 0, kept=kept) for truth in (label, other))
    # Labels of the kept part turned round leave nothing to be sure of.
    assert np.ptp(one.probability(features)) > 0.3
    assert np.ptp(turned.probability(features)) < 0.02
    alone = fit(features, label, groups, "logistic", 0, kept=np.zeros(80, bool))
    assert (alone.threshold, alone.regularisation) == (0.5, 1.0)


def test_the_same_seed_gives_the_same_classifier() -> None:
    features, label, groups = pictures(80, 30, gap=3)
    one, other = (fit(features, label, groups, "logistic", 7) for _ in range(2))
    assert np.array_equal(one.weights, other.weights)
    assert (one.bias, one.threshold) == (other.bias, other.threshold)


def test_features_that_never_change_do_no_harm() -> None:
    features, label, groups = pictures(80, 5, gap=9)
    found = fit(np.c_[features, np.full((80, 3), 7.0)], label, groups, "logistic", 0)
    assert np.isfinite(found.weights).all()
    assert found.weights[5:] == pytest.approx(np.zeros(3), abs=1e-9)
    same = fit(np.ones((80, 3)), label, groups, "logistic", 0)
    assert same.probability(np.ones((4, 3))) == pytest.approx(np.full(4, 0.5), abs=1e-3)


def test_platt_agrees_with_a_plain_minimiser() -> None:
    rng = np.random.default_rng(0)
    label = (np.arange(200) % 4 != 0).astype(np.int64)
    logits = 3 * (label - 0.3) + 4 * rng.standard_normal(200)
    counts = np.bincount(label)
    target = np.where(label == 1, (counts[1] + 1) / (counts[1] + 2), 1 / (counts[0] + 2))

    def loss(at: np.ndarray) -> float:
        value = at[0] * logits + at[1]
        return float(np.sum((np.logaddexp(0, value) - target * value) / counts[label]))

    expected = optimize.minimize(loss, [1.0, 0.0], tol=1e-10).x
    assert platt(logits, label) == pytest.approx(expected, rel=5e-3, abs=2e-3)


def test_platt_never_turns_the_order_round() -> None:
    label = np.arange(40) % 2
    slope, shift = platt(np.where(label == 1, -1.0, 1.0), label)
    assert 0 < slope < 0.01
    assert shift == 0


def test_the_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        label = rng.integers(0, 2, 30)
        label[:2] = 0, 1
        probability = np.round(np.clip(0.4 + 0.2 * label + 0.2 * rng.standard_normal(30), 0, 1), 2)
        # Between any two of these probabilities of two digits.
        right = [np.mean([((probability >= at) == label)[label == value].mean() for value in (0, 1)]) for at in np.arange(0, 1.02, 0.005)]
        called = probability >= threshold_of(probability, label)
        assert balanced_accuracy_score(label, called) == pytest.approx(max(right))


def test_of_equal_thresholds_the_nearest_to_one_half() -> None:
    label = np.array([0, 0, 1, 1])
    assert threshold_of(np.array([0.1, 0.2, 0.8, 0.9]), label) == 0.5
    # Not at the gap's edge: a tenth of it inside.
    assert threshold_of(np.array([0.1, 0.2, 0.3, 0.4]), label) == pytest.approx(0.29)
