from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from app.core.experiments import TrainParams
from workers.contrast.adam import paces
from workers.contrast.bootstrap import Bootstrap, momentum_at
from workers.contrast.heads import Head, perceptron
from workers.contrast.network import embeddings
from workers.contrast.pairs import Batch, Pairs


@pytest.mark.parametrize(("share", "expected"), [(0, 0.99), (1, 0.99146447), (2, 0.995), (3, 0.99853553), (4, 1.0)])
def test_the_targets_schedule(share: int, expected: float) -> None:
    assert momentum_at(100 * share, 400, 0.99) == pytest.approx(expected, abs=1e-8)


def batch() -> Batch:
    partners = {row: np.array([row + 4]) for row in range(4)}
    return next(Pairs(np.arange(4, dtype=np.int32), partners, np.arange(8, dtype=np.int32) % 4, 1).epoch(np.random.default_rng(4), 4))


def test_the_loss_is_that_of_both_directions_and_the_head_is_without_the_predictor() -> None:
    rng = np.random.default_rng(1)
    features, weights = rng.standard_normal((8, 5)).astype(np.float32), perceptron(5, 16, 4, rng)
    params = TrainParams(objective="byol", hidden=16, output=4)
    byol = Bootstrap(weights, params, 2, np.random.default_rng(3))
    predictor = perceptron(4, 16, 4, np.random.default_rng(3))
    # It begins by adding nothing; here it is given something to add.
    assert not byol._trainable.weights[6].numpy().any()
    byol._trainable.weights[6].assign(predictor[2])
    rows = batch().rows

    def layers(x: np.ndarray, array: list[np.ndarray]) -> np.ndarray:
        return np.maximum(x @ array[0] + array[1], 0) @ array[2] + array[3]

    z = layers(features[rows], weights)
    p = z + layers(z, predictor)
    expected = sum(
        2 - 2 * (p[one] @ z[two]) / np.linalg.norm(p[one]) / np.linalg.norm(z[two])
        for i in range(4)
        for one, two in ((i, i + 4), (i + 4, i))
    )
    assert byol.loss(tf.constant(features), batch()) == pytest.approx(expected / 4, rel=1e-5)
    head = Head(np.zeros(5, np.float32), np.ones(5, np.float32), *weights)
    np.testing.assert_allclose(embeddings(byol.weights, tf.constant(features), np.arange(8)), head.embed(features), atol=1e-6)
    paced = paces(2, 0.01, 0.0)
    assert byol.step(tf.constant(features), batch(), next(paced)) == pytest.approx(expected / 4, rel=1e-5)
    assert byol.loss(tf.constant(features), batch()) < expected / 4
