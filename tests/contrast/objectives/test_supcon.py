from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.contrast.objectives.vectors import FIRST, SECOND, assert_gradient, on_sphere
from workers.contrast.objectives.nt_xent import nt_xent
from workers.contrast.objectives.supcon import supcon

BOTH = tf.constant(np.concatenate([FIRST, SECOND]))


def test_vectors_in_the_plane() -> None:
    assert float(supcon(BOTH, tf.constant([0, 0, 1, 0, 0, 1]), 0.1)) == pytest.approx(2.15678421, abs=1e-8)


def test_labels_of_one_pair_each_make_it_nt_xent() -> None:
    pairs = float(nt_xent(tf.constant(FIRST), tf.constant(SECOND), 0.1))
    assert float(supcon(BOTH, tf.constant([0, 1, 2, 0, 1, 2]), 0.1)) == pytest.approx(pairs, rel=1e-10)


def test_against_a_loop_that_leaves_out_anchors_without_a_positive() -> None:
    z, labels = on_sphere(np.random.default_rng(10), 8, 4), [0, 0, 1, 2, 2, 2, 3, 0]
    terms = []
    for i in range(8):
        positives = [p for p in range(8) if p != i and labels[p] == labels[i]]
        total = sum(np.exp(z[i] @ z[k] / 0.3) for k in range(8) if k != i)
        if positives:
            terms.append(-np.mean([np.log(np.exp(z[i] @ z[p] / 0.3) / total) for p in positives]))
    assert len(terms) == 6
    assert float(supcon(tf.constant(z), tf.constant(labels), 0.3)) == pytest.approx(np.mean(terms), rel=1e-10)


def test_gradient_against_finite_differences() -> None:
    point = on_sphere(np.random.default_rng(11), 6, 3)
    assert_gradient(lambda z: supcon(z, tf.constant([0, 0, 1, 1, 1, 2]), 0.4), point)


def test_no_two_alike_cost_nothing() -> None:
    assert float(supcon(BOTH, tf.range(6), 0.1)) == 0
