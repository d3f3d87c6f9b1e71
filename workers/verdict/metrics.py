"""Figures of a set of scored pictures, for many weightings of the pictures at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.report import Bin, MetricName

BINS = 10
_ROC_POINTS = 60

Array = NDArray[np.float64]


def measure(
    label: NDArray[np.int64], probability: Array, called: NDArray[np.bool_], weights: NDArray[np.floating] | None = None
) -> dict[MetricName, Array]:
    """Return every metric under every weighting.

    Args:
        label: (n,) 0 original, 1 stylised.
        probability: (n,) of stylised, 0 to 1.
        called: (n,) whether the picture was called stylised.
        weights: (b, n) positive; None for one weighting that counts every picture once.

    Returns:
        (b,) values each, 0 to 1; NaN where a metric needs pictures that are not there. Precision
        without any picture called so is 0, as scikit-learn has it.
    """
    weights = np.ones((1, len(label))) if weights is None else np.asarray(weights, np.float64)
    positive, negative = label == 1, label == 0
    of_positive, of_negative = weights @ positive, weights @ negative
    true_positive, false_positive = weights @ (positive & called), weights @ (negative & called)
    true_negative, false_negative = of_negative - false_positive, of_positive - true_positive
    with np.errstate(divide="ignore", invalid="ignore"):
        found: dict[MetricName, Array] = {
            "recall_stylised": true_positive / of_positive,
            "recall_original": true_negative / of_negative,
            "precision_stylised": _share(true_positive, true_positive + false_positive),
            "precision_original": _share(true_negative, true_negative + false_negative),
            "accuracy": (true_positive + true_negative) / (of_positive + of_negative),
        }
        found["f1_stylised"] = 2 * true_positive / (2 * true_positive + false_positive + false_negative)
        found["f1_original"] = 2 * true_negative / (2 * true_negative + false_positive + false_negative)
        found["balanced_accuracy"] = (found["recall_stylised"] + found["recall_original"]) / 2
        squared = (probability - label) ** 2
        found["brier"] = ((weights @ (squared * positive)) / of_positive + (weights @ (squared * negative)) / of_negative) / 2
        found["ece"] = _calibration_error(label, probability, weights)
        found["auroc"], found["average_precision"] = _ranking(positive, probability, weights)
    return found


def _share(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _ranking(positive: NDArray[np.bool_], score: Array, weights: Array) -> tuple[Array, Array]:
    """Return AUROC and average precision under each weighting; equal scores count as half above."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    ordered = weights[:, order]
    hits = np.add.reduceat(ordered * positive[order], starts, axis=1)
    misses = np.add.reduceat(ordered * ~positive[order], starts, axis=1)
    hits_above, misses_above = np.cumsum(hits, axis=1), np.cumsum(misses, axis=1)
    of_positive, of_negative = hits_above[:, -1], misses_above[:, -1]
    below = of_negative[:, None] - misses_above
    auroc = np.sum(hits * (below + misses / 2), axis=1) / (of_positive * of_negative)
    precision = hits_above / (hits_above + misses_above)
    return auroc, np.sum(hits * precision, axis=1) / of_positive


def _bins(probability: Array) -> NDArray[np.intp]:
    return np.minimum((probability * BINS).astype(np.intp), BINS - 1)


def _calibration_error(label: NDArray[np.int64], probability: Array, weights: Array) -> Array:
    """Return Σ over bins |Σ ω (p − y)|, ω giving both classes half of the weight."""
    inside = np.eye(BINS)[_bins(probability)]
    gap = np.zeros((len(weights), BINS))
    for value in (0, 1):
        of_class = weights * (label == value)
        gap += of_class @ (inside * (probability - value)[:, None]) / (2 * of_class.sum(axis=1, keepdims=True))
    return np.abs(gap).sum(axis=1)


def reliability(label: NDArray[np.int64], probability: Array) -> tuple[Bin, ...]:
    """Return the bins that hold pictures, from low to high probability, both classes weighing the same; empty with one class."""
    counts = np.bincount(label, minlength=2)
    if not counts.all():
        return ()
    weight = 0.5 / counts[label]
    place = _bins(probability)
    found = []
    for number in np.unique(place):
        rows = place == number
        total = float(weight[rows].sum())
        found.append(
            Bin(
                count=int(rows.sum()),
                weight=round(total, 6),
                predicted=round(float((weight * probability)[rows].sum()) / total, 6),
                observed=round(float((weight * label)[rows].sum()) / total, 6),
            )
        )
    return tuple(found)


def confusion(label: NDArray[np.int64], called: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return counts: originals called original, called stylised; stylised pictures called original, called stylised."""
    right, wrong, missed, hit = (int(((label == value) & (called == answer)).sum()) for value in (0, 1) for answer in (False, True))
    return right, wrong, missed, hit


def roc(label: NDArray[np.int64], score: Array) -> tuple[tuple[float, float], ...]:
    """Return the corners of the ROC curve, thinned evenly along it to about sixty; empty with one class."""
    positive = label == 1
    if positive.all() or not positive.any():
        return ()
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    hits, misses = np.cumsum(positive[order])[ends], np.cumsum(~positive[order])[ends]
    x, y = np.r_[0.0, misses / misses[-1]], np.r_[0.0, hits / hits[-1]]
    # Points on a straight line between their neighbours draw nothing.
    bend = np.r_[True, np.diff(x)[:-1] * np.diff(y)[1:] != np.diff(x)[1:] * np.diff(y)[:-1], True]
    x, y = x[bend], y[bend]
    if len(x) > _ROC_POINTS:
        along = np.r_[0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
        kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], _ROC_POINTS)).clip(0, len(x) - 1))
        x, y = x[kept], y[kept]
    return tuple((round(float(a), 4), round(float(b), 4)) for a, b in zip(x, y, strict=True))
