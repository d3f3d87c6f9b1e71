from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from workers.study import softmax
from workers.study.softmax import balanced, fit


def test_gradient_against_finite_differences() -> None:
    rng = np.random.default_rng(0)
    rows, klass = rng.standard_normal((7, 4)), rng.integers(3, size=7)
    weights, weight, decays = rng.standard_normal((5, 2, 3)), rng.random(7), np.array([0.1, 2.0])

    def loss(at: np.ndarray) -> np.ndarray:
        logits = np.einsum("nd,dlc->nlc", rows, at[:-1]) + at[-1]
        shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        crossed = -np.log(shares[np.arange(7), :, klass])
        return (weight[:, None] * crossed).mean(axis=0) + decays / 2 * np.square(at[:-1]).sum(axis=(0, 2))

    found = softmax._gradient(weights, rows, klass, weight, decays)
    for place in np.ndindex(weights.shape):
        step = np.zeros_like(weights)
        step[place] = 1e-6
        expected = (loss(weights + step) - loss(weights - step))[place[1]] / 2e-6
        assert found[place] == pytest.approx(expected, abs=1e-7)


def test_it_finds_what_scikit_learn_finds() -> None:
    rng = np.random.default_rng(1)
    klass = np.repeat([0, 1, 2], 30)
    features = (rng.standard_normal((90, 6)) + 1.5 * np.eye(3, 6)[klass]).astype(np.float32)
    every = np.arange(90)
    found = fit(features, klass, 3, (every for _ in range(3000)), 3000, (0.01,))
    standard = ((features - features.mean(axis=0)) / features.std(axis=0) / np.sqrt(6)).astype(np.float64)
    # C weighs the sum of the losses, the decay their mean.
    peer = LogisticRegression(C=1 / (0.01 * 90), max_iter=5000, tol=1e-8).fit(standard, klass)
    ours = found.logits(features)[:, 0]
    theirs = peer.decision_function(standard)
    np.testing.assert_allclose(ours - ours.mean(axis=1, keepdims=True), theirs - theirs.mean(axis=1, keepdims=True), atol=0.02)


def test_the_decay_is_the_one_that_serves_pictures_not_fitted_to() -> None:
    """Labels without meaning: the more the classifier is held back, the better."""
    rng = np.random.default_rng(2)
    features, klass = rng.standard_normal((40, 50)).astype(np.float32), rng.integers(2, size=40)
    found = fit(features, klass, 2, (np.arange(40) for _ in range(300)), 300).chosen(
        rng.standard_normal((40, 50)).astype(np.float32), rng.integers(2, size=40)
    )
    assert found.best == len(softmax.DECAYS) - 1


def test_classes_weigh_the_same() -> None:
    klass = np.array([0, 0, 0, 2])
    found = balanced(klass, 4)
    assert found.sum() == pytest.approx(4)
    assert found[klass == 0].sum() == pytest.approx(found[klass == 2].sum())


def test_a_feature_that_never_varies_says_nothing() -> None:
    features = np.array([[1, 5], [2, 5], [3, 5], [4, 5]], np.float32)
    found = fit(features, np.array([0, 0, 1, 1]), 2, (np.arange(4) for _ in range(50)), 50)
    moved = features + np.array([0, 100], np.float32)
    np.testing.assert_array_equal(found.logits(features), found.logits(moved))
