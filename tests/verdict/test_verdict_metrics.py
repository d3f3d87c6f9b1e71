from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from app.core.report import METRICS
from workers.verdict.metrics import BINS, confusion, measure, reliability, roc

RNG = np.random.default_rng(3)
LABEL = RNG.integers(0, 2, 60)
# Two digits, so that there are ties, also between the classes.
PROBABILITY = np.round(np.clip(0.35 + 0.3 * LABEL + 0.3 * RNG.standard_normal(60), 0, 1), 2)
CALLED = PROBABILITY >= 0.55
WEIGHTS = RNG.exponential(size=(3, 60))


def expected(weights: np.ndarray) -> dict[str, float]:
    found = {
        "auroc": reference.roc_auc_score(LABEL, PROBABILITY, sample_weight=weights),
        "average_precision": reference.average_precision_score(LABEL, PROBABILITY, sample_weight=weights),
        "accuracy": reference.accuracy_score(LABEL, CALLED, sample_weight=weights),
        "balanced_accuracy": reference.balanced_accuracy_score(LABEL, CALLED, sample_weight=weights),
    }
    for value, name in enumerate(("original", "stylised")):
        for metric, score in (("precision", reference.precision_score), ("recall", reference.recall_score), ("f1", reference.f1_score)):
            found[f"{metric}_{name}"] = score(LABEL, CALLED, pos_label=value, sample_weight=weights)
    balanced = weights / np.where(LABEL == 1, weights[LABEL == 1].sum(), weights[LABEL == 0].sum())
    found["brier"] = reference.brier_score_loss(LABEL, PROBABILITY, sample_weight=balanced)
    found["ece"] = 0.0
    for number in range(BINS):
        inside = [row for row in range(60) if min(int(PROBABILITY[row] * BINS), BINS - 1) == number]
        if total := sum(balanced[row] for row in inside):
            predicted = sum(balanced[row] * PROBABILITY[row] for row in inside) / total
            observed = sum(balanced[row] * LABEL[row] for row in inside) / total
            found["ece"] += total / balanced.sum() * abs(predicted - observed)
    return found


def test_every_metric_agrees_with_scikit_learn_under_weights() -> None:
    found = measure(LABEL, PROBABILITY, CALLED, WEIGHTS)
    assert set(found) == set(METRICS)
    for row, weights in enumerate(WEIGHTS):
        assert {name: float(values[row]) for name, values in found.items()} == pytest.approx(expected(weights), abs=1e-9)


def test_without_weights_every_picture_counts_once() -> None:
    found = measure(LABEL, PROBABILITY, CALLED)
    assert {name: float(values[0]) for name, values in found.items()} == pytest.approx(expected(np.ones(60)), abs=1e-9)


def test_with_one_class_what_needs_both_is_undefined() -> None:
    found = measure(np.ones(4, np.int64), np.array([0.2, 0.6, 0.7, 0.9]), np.array([False, True, True, True]))
    undefined = {name for name, values in found.items() if np.isnan(values[0])}
    assert undefined == {"auroc", "recall_original", "balanced_accuracy", "brier", "ece"}
    assert found["recall_stylised"][0] == 0.75
    assert reliability(np.ones(4, np.int64), np.array([0.2, 0.6, 0.7, 0.9])) == ()
    assert roc(np.ones(4, np.int64), np.array([0.2, 0.6, 0.7, 0.9])) == ()


def test_confusion_counts() -> None:
    assert confusion(LABEL, CALLED) == tuple(reference.confusion_matrix(LABEL, CALLED).ravel())


def test_reliability_bins_by_hand() -> None:
    label = np.array([0, 0, 0, 1, 1])
    found = reliability(label, np.array([0.05, 0.05, 0.95, 0.95, 1.0]))
    assert [one.count for one in found] == [2, 3]
    # Both classes weigh one half: an original 1/6, a stylised picture 1/4.
    assert found[0].model_dump() == pytest.approx({"count": 2, "weight": 1 / 3, "predicted": 0.05, "observed": 0.0}, abs=1e-6)
    assert found[1].weight == pytest.approx(2 / 3, abs=1e-6)
    assert found[1].observed == pytest.approx(0.5 / (2 / 3), abs=1e-6)
    assert found[1].predicted == pytest.approx((0.95 / 6 + 0.95 / 4 + 1 / 4) / (2 / 3), abs=1e-6)


def test_the_roc_curve_encloses_the_auroc() -> None:
    corners = np.array(roc(LABEL, PROBABILITY))
    assert corners[0].tolist() == [0, 0]
    assert corners[-1].tolist() == [1, 1]
    area = np.sum(np.diff(corners[:, 0]) * (corners[1:, 1] + corners[:-1, 1]) / 2)
    assert area == pytest.approx(reference.roc_auc_score(LABEL, PROBABILITY), abs=1e-3)


def test_a_long_roc_curve_is_thinned_and_stays_itself() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 5000)
    score = label + rng.standard_normal(5000)
    corners = np.array(roc(label, score))
    assert len(corners) <= 61
    area = np.sum(np.diff(corners[:, 0]) * (corners[1:, 1] + corners[:-1, 1]) / 2)
    assert area == pytest.approx(reference.roc_auc_score(label, score), abs=5e-3)


def test_a_perfect_roc_curve_has_three_corners() -> None:
    assert roc(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])) == ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0))
