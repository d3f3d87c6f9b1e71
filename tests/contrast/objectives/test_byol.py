from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.contrast.objectives.vectors import FIRST, SECOND, assert_gradient
from workers.contrast.objectives.byol import byol


def test_vectors_in_the_plane_of_any_length() -> None:
    assert float(byol(tf.constant(FIRST), tf.constant(SECOND))) == pytest.approx(0.06046125, abs=1e-8)
    assert float(byol(tf.constant(7 * FIRST), tf.constant(0.1 * SECOND))) == pytest.approx(0.06046125, abs=1e-8)


def test_against_a_loop() -> None:
    rng = np.random.default_rng(8)
    p, z = rng.standard_normal((6, 5)), rng.standard_normal((6, 5))
    expected = np.mean([2 - 2 * (a @ b) / (np.sqrt(a @ a) * np.sqrt(b @ b)) for a, b in zip(p, z, strict=True)])
    assert float(byol(tf.constant(p), tf.constant(z))) == pytest.approx(expected, rel=1e-12)


def test_gradient_against_finite_differences_stops_at_the_targets() -> None:
    rng = np.random.default_rng(9)
    p, z = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    assert_gradient(lambda x: byol(x, tf.constant(z)), p)
    assert_gradient(lambda x: byol(tf.constant(p), x, stop_gradient=False), z)
    targets = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(targets)
        loss = byol(tf.constant(p), targets)
    assert tape.gradient(loss, targets) is None
