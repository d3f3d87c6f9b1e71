"""The loss of bootstrap your own latent: no negatives."""

from __future__ import annotations

import tensorflow as tf


def byol(predictions: tf.Tensor, targets: tf.Tensor, *, stop_gradient: bool = True) -> tf.Tensor:
    """Return the mean over pairs of 2 − 2·cos(p, z'), one direction.

    Grill et al., "Bootstrap Your Own Latent", 2020, equation 2.

    Args:
        predictions: (N, output) of the online network's predictor, of any length.
        targets: (N, output) of the target network, of any length.
        stop_gradient: no gradient flows into the targets; false only to study collapse.

    Returns:
        A scalar from 0 to 4.
    """
    p = tf.math.l2_normalize(predictions, axis=1)
    z = tf.math.l2_normalize(tf.stop_gradient(targets) if stop_gradient else targets, axis=1)
    return tf.reduce_mean(2 - 2 * tf.reduce_sum(p * z, axis=1))
