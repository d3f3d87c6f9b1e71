"""The pairwise contrastive loss."""

from __future__ import annotations

import tensorflow as tf


def pairwise(left: tf.Tensor, right: tf.Tensor, positive: tf.Tensor, margin: float | tf.Tensor) -> tf.Tensor:
    """Return the mean of ½·y·D² + ½·(1 − y)·max(0, m − D)², D being the distance of a pair.

    Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping",
    2006, equation 4. Where a negative pair's distance is 0 the gradient, which has no
    direction there, is 0: so a picture paired with itself teaches nothing.

    Args:
        left, right: (pairs, output) float, of any length; normalising is the head's business.
        positive: (pairs,) y, 1 or true for a positive pair, 0 or false for a negative one.
        margin: m, above 0.

    Returns:
        A scalar, at least 0.
    """
    y = tf.cast(positive, left.dtype)
    squared = tf.reduce_sum(tf.square(left - right), axis=1)
    apart = squared > 0
    # The root's slope at 0 is infinite, and infinite times 0 is not a number: the root never sees a 0.
    distance = tf.where(apart, tf.sqrt(tf.where(apart, squared, tf.ones_like(squared))), tf.zeros_like(squared))
    short = tf.nn.relu(margin - distance)
    return tf.reduce_mean(0.5 * y * squared + 0.5 * (1 - y) * tf.square(short))
