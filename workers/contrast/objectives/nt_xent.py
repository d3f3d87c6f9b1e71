"""The normalised temperature-scaled cross-entropy of SimCLR."""

from __future__ import annotations

import tensorflow as tf


def nt_xent(first: tf.Tensor, second: tf.Tensor, temperature: float | tf.Tensor, groups: tf.Tensor | None = None) -> tf.Tensor:
    """Return the mean over 2N anchors of −log(exp(s_ij/τ) / Σ_{k≠i} exp(s_ik/τ)).

    Chen, Kornblith, Norouzi and Hinton, "A Simple Framework for Contrastive Learning of
    Visual Representations", 2020, equation 1. Departure: other pictures of the anchor's own
    group are left out of the sum, so that a content is never its own negative.

    Args:
        first, second: (N, output) unit vectors; row i of one is the positive of row i of the other.
        temperature: τ, above 0.
        groups: (N,) integers, equal for pairs that must not be negatives of each other; None: all differ.

    Returns:
        A scalar, at least 0; ln(2N − 1) when all embeddings are equal and all groups differ.
    """
    count = tf.shape(first)[0]
    groups = tf.range(count) if groups is None else groups
    both = tf.concat([first, second], 0)
    twice = tf.concat([groups, groups], 0)
    similarity = tf.matmul(both, both, transpose_b=True) / temperature
    number = tf.range(2 * count)
    partner = tf.math.floormod(number + count, 2 * count)
    is_positive = partner[:, None] == number[None, :]
    is_counted = is_positive | (twice[:, None] != twice[None, :])
    # (2N, 2N); whatever is not counted weighs exp(−∞) = 0.
    counted = tf.where(is_counted, similarity, tf.fill(tf.shape(similarity), similarity.dtype.min))
    positive = tf.reduce_sum(first * second, axis=1) / temperature
    return tf.reduce_mean(tf.reduce_logsumexp(counted, axis=1) - tf.concat([positive, positive], 0))
