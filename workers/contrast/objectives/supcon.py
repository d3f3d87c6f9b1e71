"""The supervised contrastive loss."""

from __future__ import annotations

import tensorflow as tf


def supcon(embeddings: tf.Tensor, labels: tf.Tensor, temperature: float | tf.Tensor) -> tf.Tensor:
    """Return −mean_i 1/|P(i)| · Σ_{p∈P(i)} log p_ip, p_ip being the softmax of s_ik/τ over k ≠ i.

    Khosla et al., "Supervised Contrastive Learning", 2020, equation 2 (L_out), without the
    factor of a base temperature that the authors' code has. P(i) are the other pictures of
    i's label; anchors that have none are left out of the mean.

    Args:
        embeddings: (M, output) unit vectors.
        labels: (M,) integers.
        temperature: τ, above 0.

    Returns:
        A scalar, at least 0; 0 when no two labels agree.
    """
    count = tf.shape(embeddings)[0]
    similarity = tf.matmul(embeddings, embeddings, transpose_b=True) / temperature
    is_other = tf.logical_not(tf.eye(count, dtype=tf.bool))
    others = tf.where(is_other, similarity, tf.fill(tf.shape(similarity), similarity.dtype.min))
    log_p = similarity - tf.reduce_logsumexp(others, axis=1, keepdims=True)
    positive = tf.cast((labels[:, None] == labels[None, :]) & is_other, embeddings.dtype)
    positives = tf.reduce_sum(positive, axis=1)
    mean_log_p = tf.math.divide_no_nan(tf.reduce_sum(positive * log_p, axis=1), positives)
    return -tf.math.divide_no_nan(tf.reduce_sum(mean_log_p), tf.reduce_sum(tf.cast(positives > 0, embeddings.dtype)))
