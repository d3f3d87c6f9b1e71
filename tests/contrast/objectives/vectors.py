"""Embeddings that the objectives' tests share, and finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def at(*degrees: float) -> np.ndarray:
    """Return unit vectors in the plane, float64 (n, 2)."""
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], 1)


FIRST, SECOND = at(0, 50, 100), at(10, 70, 90)


def on_sphere(rng: np.random.Generator, count: int, length: int) -> np.ndarray:
    points = rng.standard_normal((count, length))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def assert_gradient(loss: Callable[[tf.Tensor], tf.Tensor], point: np.ndarray) -> None:
    """Compare TensorFlow's gradient of ``loss`` at ``point`` with central differences, in float64."""
    x = tf.constant(point)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x)
    expected = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        step = np.zeros_like(point)
        step[index] = 1e-5
        expected[index] = (float(loss(tf.constant(point + step))) - float(loss(tf.constant(point - step)))) / 2e-5
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(tape.gradient(value, x), expected, rtol=1e-5, atol=1e-8)
