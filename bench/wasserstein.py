"""Style as the distance of two Gaussians: mean and covariance of a layer's features (experiment)."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

_RIDGE = 1e-4


def moments(features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return mean (channels,) and covariance (channels, channels), float32, of features (1, h, w, channels)."""
    flat = tf.cast(tf.reshape(features, [-1, features.shape[-1]]), tf.float32)
    mean = tf.reduce_mean(flat, axis=0)
    centred = flat - mean
    count = tf.cast(tf.shape(flat)[0], tf.float32)
    return mean, tf.matmul(centred, centred, transpose_a=True) / count + _RIDGE * tf.eye(flat.shape[-1])


def wasserstein2(mean: tf.Tensor, covariance: tf.Tensor, target: tuple[tf.Tensor, tf.Tensor], root: tf.Tensor) -> tf.Tensor:
    """Return |μ − ν|² + tr(Σ + T − 2·(√T Σ √T)^½) over the number of channels.

    Olkin and Pukelsheim, "The distance between two random vectors with given dispersion
    matrices", 1982; used as a style loss by crowsonkb/style-transfer-pytorch.

    Args:
        mean, covariance: of the picture.
        target: of the painting.
        root: √T, see ``root_of``.
    """
    channels = tf.cast(tf.shape(mean)[0], tf.float32)
    between = trace_of_root(tf.matmul(root, tf.matmul(covariance, root)))
    spread = tf.linalg.trace(covariance) + tf.linalg.trace(target[1]) - 2 * between
    return (tf.reduce_sum(tf.square(mean - target[0])) + spread) / channels


@tf.custom_gradient
def trace_of_root(matrix: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Return tr(M^½) of a symmetric positive M; its gradient is ½·M^−½, without the eigenvectors' own, which equal values would break."""
    values, vectors = tf.linalg.eigh((matrix + tf.transpose(matrix)) / 2)
    roots = tf.sqrt(tf.maximum(values, _RIDGE**2))

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * tf.matmul(vectors * (0.5 / roots), vectors, transpose_b=True)

    return tf.reduce_sum(roots), gradient


def root_of(covariance: tf.Tensor) -> tf.Tensor:
    """Return the symmetric square root of a covariance."""
    values, vectors = tf.linalg.eigh(covariance)
    return tf.matmul(vectors * tf.sqrt(tf.maximum(values, 0.0)), vectors, transpose_b=True)
