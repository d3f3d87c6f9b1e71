"""Fitting the detector: a linear score on the training part, its calibration and fixed decisions on the validation part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError
from app.core.features import FeatureSet
from app.core.verdicts import MOST_ABOVE, MOST_BELOW, Band
from workers.verdict.detector import Detector
from workers.verdict.neighbours import neighbourhood

Array = NDArray[np.floating]

# What the groups together weigh: originals as much as stylised pictures, and within them each group the same
# whatever its number, so that the many photographs do not outvote the paintings.
SHARES: Mapping[str, float] = {"photograph": 0.5, "painting": 0.4, "style": 0.1, "adain": 0.5, "optimiser": 0.5}
ORIGINALS = ("photograph", "painting", "style")
CLEAN = "clean"
# Chosen on the validation part, see docs/detector.md.
PENALTY = 1e-4
_BIAS = 10.0


@dataclass(frozen=True)
class Bank:
    """Described pictures.

    Attributes:
        features: float32 (n, d).
        group: (n,) one of ``SHARES``, or the name of a generator from elsewhere.
        view: (n,) ``clean``, or how the picture was worn.
        name, content, style: (n,) of the file and what it was made from; style is empty for originals.
    """

    features: NDArray[np.float32]
    group: NDArray[np.str_]
    view: NDArray[np.str_]
    name: NDArray[np.str_]
    content: NDArray[np.str_]
    style: NDArray[np.str_]

    @property
    def stylised(self) -> NDArray[np.bool_]:
        return ~np.isin(self.group, ORIGINALS)

    def where(self, chosen: NDArray[np.bool_]) -> Bank:
        """Return the rows that ``chosen``, bool (n,), names."""
        rows = np.flatnonzero(chosen)
        arrays = (self.group, self.view, self.name, self.content, self.style)
        return Bank(self.features[rows], *(array[rows] for array in arrays))


def train(feature_set: FeatureSet, bank: Bank, validation: Bank, facts: dict[str, Any], *, penalty: float = PENALTY) -> Detector:
    """Fit a detector.

    Args:
        feature_set: what the columns of the banks are.
        bank: the training part, clean and worn.
        validation: of other contents and styles; calibration, band and novelty limit come from it.
        facts: stated in the file.
        penalty: of the weights' squares; more regularisation where it is higher.

    Raises:
        InputError: a part with one class only.
    """
    for part, rows in (("training", bank), ("validation", validation)):
        if len(set(rows.stylised.tolist())) < 2:
            raise InputError(f"The {part} part needs originals and stylised pictures. Received: {sorted(set(rows.group.tolist()))}.")
    weights, bias = fit(bank, penalty)
    slope, shift = calibration(validation.features @ weights + bias, validation.stylised, shares(validation.group))
    centre = bank.features.mean(0, dtype=np.float64)
    scaled = slope * weights
    detector = Detector(
        feature_set,
        scaled.astype(np.float32),
        centre.astype(np.float32),
        float(scaled @ centre + slope * bias + shift),
        Band(low=0.5, threshold=0.5, high=0.5),
    )
    logits = detector.logits(validation.features)
    known, fresh = bank.where(bank.view == CLEAN), validation.where(validation.view == CLEAN)
    near = neighbourhood(known.features, tuple(known.name.tolist()), known.stylised, fresh.features, directions=16)
    called = detector.logits(fresh.features) > 0
    kept = {"called_stylised": float(called[~fresh.stylised].mean()), "found": float(called[fresh.stylised].mean())}
    decided = band(logits, validation.group)
    return Detector(feature_set, detector.weights, detector.centre, detector.bias, decided, near, {**facts, "validation": kept})


def fit(bank: Bank, penalty: float) -> tuple[NDArray[np.float64], float]:
    """Return weights (d,) and bias of a ridge regression on standardised features, every group weighing its share.

    Minimises mean ω (y − w·z − b)² + penalty · |w|², y being ±1 and z the standardised features over
    the root of their number, so that ``penalty`` means the same for sets of any length: linear
    discriminant analysis with shrinkage (Hastie, Tibshirani and Friedman, "The Elements of
    Statistical Learning", sections 4.2 and 18.3). Solved in its dual, since there are fewer
    pictures than features.
    """
    centre, spread = bank.features.mean(0, dtype=np.float64), bank.features.std(0, dtype=np.float64)
    # A channel that hardly ever answers would become all noise.
    scale = 1.0 / np.maximum(spread, 0.05 * float(np.median(spread)) + 1e-9) / np.sqrt(len(spread))
    rows = ((bank.features - centre.astype(np.float32)) * scale.astype(np.float32)).astype(np.float32)
    root = np.sqrt(shares(bank.group))
    # The constant stands for the bias: a feature so large that its penalty is nothing.
    kernel = root[:, None] * ((rows @ rows.T).astype(np.float64) + _BIAS) * root
    kernel[np.diag_indices_from(kernel)] += penalty * len(rows)
    dual = root * np.linalg.solve(kernel, root * np.where(bank.stylised, 1.0, -1.0))
    weights = (dual @ rows) * scale
    return weights, float(_BIAS * dual.sum() - weights @ centre)


def shares(group: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return weights (n,) that average 1 and give each group its share; an unknown group counts as a generator."""
    weights = np.zeros(len(group))
    originals = np.isin(group, ORIGINALS)
    for name in set(group.tolist()):
        rows = group == name
        weights[rows] = SHARES.get(name, 0.5) / rows.sum()
    for side in (originals, ~originals):
        weights[side] /= max(weights[side].sum(), 1e-12)
    return weights * len(group) / max(weights.sum(), 1e-12)


def calibration(logits: Array, stylised: NDArray[np.bool_], weights: Array) -> tuple[float, float]:
    """Return (a, b) for which 1 / (1 + exp(−(a·logit + b))) is calibrated on the given pictures.

    Platt, "Probabilistic outputs for support vector machines", 1999, with his smoothed
    targets, so that pictures that are all on the right side do not make a infinite.
    """
    of_stylised, of_originals = float(weights[stylised].sum()), float(weights[~stylised].sum())
    target = np.where(stylised, (of_stylised + 1) / (of_stylised + 2), 1 / (of_originals + 2))
    a, b = 1.0, 0.0
    for _ in range(100):
        probability = 0.5 * (1 + np.tanh(0.5 * (a * logits + b)))
        error, curvature = weights * (probability - target), weights * probability * (1 - probability)
        gradient = np.array([error @ logits, error.sum()])
        hessian = np.array([[curvature @ logits**2, curvature @ logits], [curvature @ logits, curvature.sum()]]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        # Newton's method may leap where the curve is flat.
        step *= min(1.0, 1.0 / float(np.abs(step).max()))
        a, b = a - float(step[0]), b - float(step[1])
        if float(np.abs(step).max()) < 1e-9:
            break
    return a, b


def band(logits: Array, group: NDArray[np.str_]) -> Band:
    """Return the fixed threshold 0.5, and the probabilities between which the answer is "uncertain".

    ``high`` is as near to the threshold as leaves at most 1 % of the photographs and of the paintings above it;
    ``low`` as leaves at most 1 % of each generator's pictures below it.
    """
    probability = 0.5 * (1 + np.tanh(0.5 * logits))
    originals = [probability[group == name] for name in ("photograph", "painting") if (group == name).any()]
    generators = [probability[group == name] for name in sorted(set(group.tolist()).difference(ORIGINALS))]
    high = max([0.5, *(float(np.quantile(one, 1 - MOST_ABOVE)) for one in originals)])
    low = min([0.5, *(float(np.quantile(one, MOST_BELOW)) for one in generators)])
    return Band(low=round(low, 3), threshold=0.5, high=round(high, 3))
