"""The linear classifier: scaler, weights, calibration and threshold, all fitted inside the training part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from app.core.experiments import ClassifierName

# For rows of length about one: standardised features are divided by the square root of their number.
REGULARISATIONS = (0.1, 1.0, 10.0, 100.0, 1000.0)
_USUAL = 1.0
# C, slope and shift of the calibration, and threshold, where nothing is chosen.
_PLAIN = (REGULARISATIONS[-1], 1.0, 0.0, 0.5)
_FOLDS = 4
_ITERATIONS = 2000
# The most that one fit solves: each C in each fold, and the last.
SOLVED = len(REGULARISATIONS) * _FOLDS + 1

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A fitted classifier: logit = (x − mean) · weights + bias, probability = 1 / (1 + exp(−logit)).

    Attributes:
        mean, weights: (d,).
        bias: the logit at the mean.
        threshold: probability from which a picture is called stylised.
        regularisation: the C that was chosen.
    """

    mean: Array
    weights: Array
    bias: float
    threshold: float
    regularisation: float

    def logit(self, features: NDArray[np.floating]) -> Array:
        """Return the (n,) logits of (n, d) features."""
        return (features - self.mean) @ self.weights + self.bias

    def probability(self, features: NDArray[np.floating]) -> Array:
        """Return the (n,) probabilities of stylised, with both classes equally likely beforehand."""
        return _logistic(self.logit(features))


def fit(
    features: NDArray[np.floating],
    label: NDArray[np.int64],
    groups: NDArray[np.str_],
    kind: ClassifierName,
    seed: int,
    *,
    kept: NDArray[np.bool_] | None = None,
    plain: bool = False,
    on_solved: Callable[[], None] = lambda: None,
) -> Linear:
    """Fit a linear classifier; both classes weigh the same.

    C is the one whose calibrated log loss is least in four-fold cross-validation with ``groups``
    kept together. Calibration (a sigmoid, Platt 1999) and threshold come from the same
    held-out logits. With too few groups for that: C = 1, no calibration, threshold 0.5.

    Args:
        features: (n, d).
        label: (n,) 0 or 1, both present.
        groups: (n,) what must not be divided, such as contents.
        kind: ``logistic`` or ``linear_svm``.
        seed: of the division into folds.
        kept: (n,) pictures that whatever made the features has not seen. Given, C, calibration and
            threshold come from these alone and the weights from the others: pictures that a head was
            trained on lie too far apart to tell how sure it may be of new ones. None kept: as with too few groups.
        plain: choose and calibrate nothing, as the paper does: the largest C and threshold 0.5. For pictures that
            are themselves the test; what would hold for others is then no question.
        on_solved: called after each of at most ``SOLVED`` solutions: a linear SVM takes many seconds for one.
    """
    scaler = StandardScaler().fit(features.astype(np.float64))
    length = np.sqrt(features.shape[1]) * scaler.scale_
    standard = (features - scaler.mean_) / length
    rows, back = coordinates(standard)
    # The solvers call for many small products; on a busy machine threads would wait for each other ten times as long as they work.
    with threadpool_limits(1, "blas"):
        folds = _folds(groups, seed) if kept is None else [(np.flatnonzero(~kept), np.flatnonzero(kept))]
        regularisation, slope, shift, threshold = _PLAIN if plain else _chosen(rows, label, folds, kind, on_solved)
        fitted = slice(None) if kept is None else ~kept
        weights, bias = refit(rows[fitted], label[fitted], kind, regularisation)
        on_solved()
    return Linear(scaler.mean_, back(weights) / length * slope, bias * slope + shift, threshold, regularisation)


def coordinates(standard: Array) -> tuple[Array, Callable[[Array], Array]]:
    """Return rows with the same products as these, but no longer than there are rows, and the way back for weights.

    A linear classifier with a squared penalty depends on the features by their products alone
    and its weights lie in the rows' span, so n pictures need n coordinates however long their
    features are: the Cholesky factor of the products.
    """
    n, d = standard.shape
    if d <= n:
        return standard, lambda weights: weights
    products = standard @ standard.T
    # Centred rows leave one direction empty; a trace of the diagonal keeps the factor defined.
    factor = np.linalg.cholesky(products + 1e-9 * np.trace(products) / n * np.eye(n))
    return factor, lambda weights: standard.T @ np.linalg.solve(factor.T, weights)


def refit(rows: Array, label: NDArray[np.int64], kind: ClassifierName, regularisation: float) -> tuple[Array, float]:
    """Return weights (d,) and bias fitted to (n, d) rows at one C."""
    return next(_path(rows, label, kind, (regularisation,)))


def _path(rows: Array, label: NDArray[np.int64], kind: ClassifierName, regularisations: tuple[float, ...]) -> Iterator[tuple[Array, float]]:
    """Yield weights and bias at each C, from strong to weak; each logistic fit starts from the one before."""
    if kind == "logistic":
        model = LogisticRegression(class_weight="balanced", max_iter=_ITERATIONS, warm_start=True)
    else:
        model = LinearSVC(class_weight="balanced", dual=False, max_iter=_ITERATIONS)
    for regularisation in regularisations:
        model.set_params(C=regularisation).fit(rows, label)
        yield model.coef_[0].astype(np.float64), float(model.intercept_[0])


def _chosen(
    rows: Array,
    label: NDArray[np.int64],
    folds: Iterable[tuple[NDArray[np.intp], NDArray[np.intp]]],
    kind: ClassifierName,
    on_solved: Callable[[], None],
) -> tuple[float, float, float, float]:
    """Return C, slope and shift of the calibration, and the threshold."""
    logits = np.full((len(REGULARISATIONS), len(label)), np.nan)
    for inner, outer in folds:
        if len(outer) and len(np.unique(label[inner])) == 2:
            for number, (weights, bias) in enumerate(_path(rows[inner], label[inner], kind, REGULARISATIONS)):
                logits[number, outer] = rows[outer] @ weights + bias
                on_solved()
    scored = np.isfinite(logits[0])
    truth = label[scored]
    if len(np.unique(truth)) < 2:
        return _USUAL, 1.0, 0.0, 0.5
    calibrations = [platt(one[scored], truth) for one in logits]
    losses = [_log_loss(slope * one[scored] + shift, truth) for one, (slope, shift) in zip(logits, calibrations, strict=True)]
    best = int(np.argmin(losses))
    slope, shift = calibrations[best]
    return REGULARISATIONS[best], slope, shift, threshold_of(_logistic(slope * logits[best, scored] + shift), truth)


def _folds(groups: NDArray[np.str_], seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    names, place = np.unique(groups, return_inverse=True)
    count = min(_FOLDS, len(names))
    if count < 2:
        return
    fold = np.random.default_rng(seed).permutation(len(names))[place] % count
    for number in range(count):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def platt(logits: Array, label: NDArray[np.int64]) -> tuple[float, float]:
    """Return slope and shift of the sigmoid fitted to held-out logits, both classes weighing the same.

    Platt, "Probabilistic outputs for support vector machines", 1999, with its smoothed targets,
    (n + 1)/(n + 2) and 1/(n + 2) for a class of n. Departure: where the slope would turn the order
    round, there is nothing to calibrate, and every probability becomes nearly one half.
    """
    counts = np.bincount(label, minlength=2)
    target = np.where(label == 1, (counts[1] + 1) / (counts[1] + 2), 1 / (counts[0] + 2))
    scale = max(float(np.abs(logits).max()), 1e-12)
    once = (logits / scale)[:, None]
    doubled, answers = np.concatenate([once, once]), np.repeat([1, 0], len(label))
    weight = np.concatenate([target, 1 - target]) / np.tile(counts[label], 2) * len(label) / 2
    model = LogisticRegression(C=1e4, max_iter=_ITERATIONS).fit(doubled, answers, sample_weight=weight)
    slope = float(model.coef_[0, 0]) / scale
    return (slope, float(model.intercept_[0])) if slope > 0 else (1e-3 / scale, 0.0)


def threshold_of(probability: Array, label: NDArray[np.int64]) -> float:
    """Return the threshold of best balanced accuracy, and of those that are as good the nearest to one half."""
    order = np.argsort(probability)
    ordered, truth = probability[order], label[order]
    # Right at a threshold between two neighbours: originals below it and stylised pictures from it on.
    below = np.r_[0.0, np.cumsum(truth == 0)] / max((truth == 0).sum(), 1)
    above = 1 - np.r_[0.0, np.cumsum(truth == 1)] / max((truth == 1).sum(), 1)
    lows, highs = np.r_[0.0, ordered], np.r_[ordered, 1.0]
    right = np.where(highs > lows, below + above, -1.0)
    good = np.flatnonzero(right >= right.max() - 1e-12)
    low, high = lows[good], highs[good]
    # Inside the gap, not at its edge: a tenth of it away from the pictures on both sides.
    nearest = np.clip(0.5, low + 0.1 * (high - low), high - 0.1 * (high - low))
    return float(nearest[np.argmin(np.abs(nearest - 0.5))])


def _logistic(logits: Array) -> Array:
    return 0.5 * (1 + np.tanh(logits / 2))


def _log_loss(logits: Array, label: NDArray[np.int64]) -> float:
    """Return the mean log loss, both classes weighing the same."""
    losses = np.logaddexp(0, np.where(label == 1, -logits, logits))
    return float(np.mean([losses[label == value].mean() for value in (0, 1)]))
