from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from app.core.experiments import TrainParams
from workers.contrast.adam import paces
from workers.contrast.heads import perceptron
from workers.contrast.momentum import MomentumContrast, Queue, follow
from workers.contrast.network import variables
from workers.contrast.pairs import Batch, Pairs


def test_the_slow_encoder_follows() -> None:
    slow, fast = variables([np.array([1.0, 2.0])]), variables([np.array([3.0, -2.0])])
    follow(slow, fast, 0.75)
    np.testing.assert_allclose(slow[0], [1.5, 1.0])
    np.testing.assert_allclose(fast[0], [3.0, -2.0])


def test_the_queue_lets_the_oldest_go() -> None:
    queue = Queue(5, 1)
    for start in (0, 3, 6):
        queue.push(tf.constant([[start], [start + 1.0], [start + 2.0]]), np.arange(start, start + 3, dtype=np.int32))
    np.testing.assert_array_equal(queue.keys, [[4], [5], [6], [7], [8]])
    np.testing.assert_array_equal(queue.groups, [4, 5, 6, 7, 8])
    queue.push(tf.reshape(tf.range(9, 20, dtype=tf.float32), [-1, 1]), np.arange(9, 20, dtype=np.int32))
    np.testing.assert_array_equal(queue.groups, [15, 16, 17, 18, 19])


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((8, 5)).astype(np.float32)


def learner(momentum: float = 0.9) -> MomentumContrast:
    params = TrainParams(objective="moco", hidden=16, output=4, momentum=momentum, queue=16)
    return MomentumContrast(perceptron(5, 16, 4, np.random.default_rng(2)), params, 3, np.random.default_rng(3))


def batch(groups: list[int]) -> Batch:
    pairs = Pairs(np.arange(4, dtype=np.int32), {row: np.array([row + 4]) for row in range(4)}, np.array(groups * 2, np.int32), 1)
    return next(pairs.epoch(np.random.default_rng(4), 4))


def test_the_first_step_only_fills_the_queue_and_the_second_learns(features: np.ndarray) -> None:
    moco, pace = learner(), paces(3, 0.01, 0.0)
    before = [weight.numpy() for weight in moco.weights]
    assert moco.step(tf.constant(features), batch([0, 1, 2, 3]), next(pace)) == pytest.approx(0, abs=1e-6)
    for weight, old in zip(moco.weights, before, strict=True):
        np.testing.assert_allclose(weight, old, atol=1e-6)
    assert moco.queue.keys.shape == (4, 4)
    np.testing.assert_allclose(np.linalg.norm(moco.queue.keys, axis=1), 1, rtol=1e-5)
    assert moco.step(tf.constant(features), batch([0, 1, 2, 3]), next(pace)) > 0.1
    assert (np.abs(moco.weights[0] - before[0]) > 1e-4).any()


def test_older_keys_of_the_querys_own_content_are_no_negatives(features: np.ndarray) -> None:
    moco, pace = learner(), paces(3, 0.01, 0.0)
    for _ in range(3):
        assert moco.step(tf.constant(features), batch([5, 5, 5, 5]), next(pace)) == pytest.approx(0, abs=1e-6)
    assert moco.loss(tf.constant(features), batch([5, 5, 5, 5])) > 0.1
