"""The loss of momentum contrast: InfoNCE against a queue of keys."""

from __future__ import annotations

import tensorflow as tf


def moco(
    queries: tf.Tensor, keys: tf.Tensor, queue: tf.Tensor, temperature: float | tf.Tensor, blocked: tf.Tensor | None = None
) -> tf.Tensor:
    """Return the mean cross-entropy of [q·k⁺, q·queue]/τ with the first as target.

    He, Fan, Wu, Xie and Girshick, "Momentum Contrast for Unsupervised Visual
    Representation Learning", 2020, equation 1.

    Args:
        queries: (N, output) unit vectors.
        keys: (N, output) unit vectors, the positive of each query; no gradient flows into them.
        queue: (Q, output) unit vectors, the negatives; Q may be 0. No gradient either.
        temperature: τ, above 0.
        blocked: (N, Q) bool, true where a key must not be the query's negative, such as one
            of the same content; None: nowhere.

    Returns:
        A scalar, at least 0; 0 without negatives.
    """
    positive = tf.reduce_sum(queries * tf.stop_gradient(keys), axis=1, keepdims=True) / temperature
    negative = tf.matmul(queries, tf.stop_gradient(queue), transpose_b=True) / temperature
    if blocked is not None:
        negative = tf.where(blocked, tf.fill(tf.shape(negative), negative.dtype.min), negative)
    # (N, 1 + Q)
    logits = tf.concat([positive, negative], 1)
    return tf.reduce_mean(tf.reduce_logsumexp(logits, axis=1) - positive[:, 0])
