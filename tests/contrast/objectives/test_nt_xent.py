from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.contrast.objectives.vectors import FIRST, SECOND, assert_gradient, at, on_sphere
from workers.contrast.objectives.nt_xent import nt_xent


@pytest.mark.parametrize(("temperature", "expected"), [(0.07, 0.28509377), (0.1, 0.38106360), (0.2, 0.63021562), (0.5, 1.01459481)])
def test_vectors_in_the_plane(temperature: float, expected: float) -> None:
    assert float(nt_xent(tf.constant(FIRST), tf.constant(SECOND), temperature)) == pytest.approx(expected, abs=1e-8)


def test_equal_embeddings_cost_the_logarithm_of_the_others() -> None:
    same = tf.constant(at(30, 30, 30))
    assert float(nt_xent(same, same, 0.1)) == pytest.approx(np.log(5))


def slow(first: np.ndarray, second: np.ndarray, temperature: float, groups: list[int]) -> float:
    z, owners, count = np.concatenate([first, second]), [*groups, *groups], len(first)
    total = 0.0
    for i in range(2 * count):
        j = (i + count) % (2 * count)
        counted = [k for k in range(2 * count) if k == j or owners[k] != owners[i]]
        total -= np.log(np.exp(z[i] @ z[j] / temperature) / sum(np.exp(z[i] @ z[k] / temperature) for k in counted))
    return total / (2 * count)


@pytest.mark.parametrize("groups", [[0, 1, 2, 3, 4], [7, 1, 7, 1, 7], [3, 3, 3, 3, 3]])
def test_against_a_loop_that_leaves_out_the_own_group(groups: list[int]) -> None:
    rng = np.random.default_rng(3)
    first, second = on_sphere(rng, 5, 4), on_sphere(rng, 5, 4)
    found = nt_xent(tf.constant(first), tf.constant(second), 0.3, tf.constant(groups))
    assert float(found) == pytest.approx(slow(first, second, 0.3, groups), rel=1e-10, abs=1e-12)


def test_gradient_against_finite_differences() -> None:
    second = tf.constant(on_sphere(np.random.default_rng(4), 4, 3))
    point = on_sphere(np.random.default_rng(5), 4, 3)
    assert_gradient(lambda first: nt_xent(first, second, 0.4, tf.constant([0, 1, 0, 2])), point)
    assert_gradient(lambda first: nt_xent(second, first, 0.4), point)


def test_a_cold_temperature_stays_finite_in_float32() -> None:
    first, second = (tf.constant(side, tf.float32) for side in (FIRST, SECOND))
    with tf.GradientTape() as tape:
        tape.watch(first)
        loss = nt_xent(first, second, 1e-3)
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, first)).all()
