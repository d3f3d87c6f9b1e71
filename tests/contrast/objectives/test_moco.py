from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.contrast.objectives.vectors import FIRST, SECOND, assert_gradient, at, on_sphere
from workers.contrast.objectives.moco import moco

QUEUE = at(30, 120, 200, 300)


@pytest.mark.parametrize(("temperature", "expected"), [(0.07, 0.42811790), (0.2, 0.60831190)])
def test_vectors_in_the_plane(temperature: float, expected: float) -> None:
    assert float(moco(tf.constant(FIRST), tf.constant(SECOND), tf.constant(QUEUE), temperature)) == pytest.approx(expected, abs=1e-8)


def test_against_a_loop_that_leaves_out_what_is_blocked() -> None:
    rng = np.random.default_rng(6)
    queries, keys, queue = on_sphere(rng, 5, 4), on_sphere(rng, 5, 4), on_sphere(rng, 7, 4)
    blocked = rng.random((5, 7)) < 0.4
    expected = 0.0
    for query, key, row in zip(queries, keys, blocked, strict=True):
        negatives = sum(np.exp(query @ other / 0.3) for other, is_blocked in zip(queue, row, strict=True) if not is_blocked)
        positive = np.exp(query @ key / 0.3)
        expected -= np.log(positive / (positive + negatives)) / 5
    found = moco(*(tf.constant(part) for part in (queries, keys, queue)), 0.3, tf.constant(blocked))
    assert float(found) == pytest.approx(expected, rel=1e-10)


def test_gradient_against_finite_differences_flows_into_queries_alone() -> None:
    rng = np.random.default_rng(7)
    keys, queue = tf.constant(on_sphere(rng, 4, 3)), tf.constant(on_sphere(rng, 6, 3))
    queries = on_sphere(rng, 4, 3)
    assert_gradient(lambda x: moco(x, keys, queue, 0.4), queries)
    with tf.GradientTape() as tape:
        tape.watch([keys, queue])
        loss = moco(tf.constant(queries), keys, queue, 0.4)
    assert tape.gradient(loss, [keys, queue]) == [None, None]


def test_without_negatives_there_is_nothing_to_pay() -> None:
    assert float(moco(tf.constant(FIRST), tf.constant(SECOND), tf.zeros([0, 2], tf.float64), 0.1)) == 0
