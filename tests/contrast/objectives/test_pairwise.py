from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.contrast.objectives.vectors import assert_gradient
from workers.contrast.objectives.pairwise import pairwise


@pytest.mark.parametrize(
    ("point", "positive", "margin", "expected"),
    [((1, 0), 1, 1, 0.5), ((0.5, 0), 0, 1, 0.125), ((0.6, 0.8), 0, 2, 0.5), ((3, 4), 0, 2, 0)],
)
def test_one_pair_against_the_origin(point: tuple[float, float], positive: int, margin: float, expected: float) -> None:
    loss = pairwise(tf.constant([point], tf.float64), tf.zeros([1, 2], tf.float64), tf.constant([positive]), margin)
    assert float(loss) == pytest.approx(expected, abs=1e-12)


def test_against_a_loop() -> None:
    rng = np.random.default_rng(1)
    left, right, positive = rng.standard_normal((9, 4)), rng.standard_normal((9, 4)), rng.integers(0, 2, 9)
    expected = 0.0
    for a, b, y in zip(left, right, positive, strict=True):
        distance = float(np.linalg.norm(a - b))
        expected += (0.5 * distance**2 if y else 0.5 * max(0.0, 2.5 - distance) ** 2) / 9
    assert float(pairwise(tf.constant(left), tf.constant(right), tf.constant(positive), 2.5)) == pytest.approx(expected, rel=1e-12)


def test_gradient_against_finite_differences() -> None:
    rng = np.random.default_rng(2)
    right, positive = tf.constant(rng.standard_normal((6, 3))), tf.constant([1, 0, 0, 1, 0, 1])
    assert_gradient(lambda left: pairwise(left, right, positive, 2.5), rng.standard_normal((6, 3)))


def test_a_picture_paired_with_itself_costs_half_the_squared_margin_and_teaches_nothing() -> None:
    same = tf.constant([[0.6, 0.8], [1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(same)
        loss = pairwise(same, same, tf.constant([0, 0]), 3.0)
    assert float(loss) == 4.5
    np.testing.assert_array_equal(tape.gradient(loss, same), np.zeros((2, 2)))
