"""The terms of the objective: content, style by Gram matrices, total variation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

# Brings the style term to the size of the content term with the normalised VGG19, so
# that strength 1 is a painterly balance; found by eye.
STYLE_FACTOR = 1e5


def content_loss(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Return mean((F − C)²), float32; the two have the same shape.

    Gatys, Ecker and Bethge, 2016, equation 1, with a mean in place of half the sum so
    that the weight does not depend on the picture's size.
    """
    return tf.reduce_mean(tf.square(tf.cast(features, tf.float32) - target))


@tf.custom_gradient
def gram_matrix(features: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Return G = FᵀF / (h·w), float32 (channels, channels), of (1, h, w, channels).

    Gatys et al., 2016, equation 3, divided by the number of positions. The product
    itself is float32, since G − A loses the leading digits; its gradient F·(D + Dᵀ)/(h·w)
    is taken in the features' own precision, which costs a quarter less time in all.
    """
    shape = tf.shape(features)
    channels = features.shape[-1]
    positions = tf.cast(shape[1] * shape[2], tf.float32)
    flat = tf.reshape(features, [-1, channels])
    exact = tf.cast(flat, tf.float32)
    gram = tf.matmul(exact, exact, transpose_a=True) / positions

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        both = (upstream + tf.transpose(upstream)) / positions
        return tf.reshape(tf.matmul(flat, tf.cast(both, features.dtype)), shape)

    return gram, gradient


def style_loss(grams: Sequence[tf.Tensor], targets: Sequence[tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
    """Return 1e5 · Σ wₗ · mean((Gₗ − Aₗ)²) / nₗ², float32, over layers with nₗ channels.

    Args:
        grams, targets: one (nₗ, nₗ) matrix a layer.
        weights: (layers,) float32.
    """
    terms = [tf.reduce_mean(tf.square(gram - target)) / gram.shape[0] ** 2 for gram, target in zip(grams, targets, strict=True)]
    return STYLE_FACTOR * tf.reduce_sum(tf.stack(terms) * weights)


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Return mean((x[i+1, j] − x[i, j])²) + mean((x[i, j+1] − x[i, j])²) of (1, h, w, 3)."""
    down = tf.reduce_mean(tf.square(image[:, 1:] - image[:, :-1]))
    across = tf.reduce_mean(tf.square(image[:, :, 1:] - image[:, :, :-1]))
    return down + across
