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
    return tf.reduce_mean(_square_error(features, target))


def content_sum(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Return Σ(F − C)², float32: what a part of the picture adds to the content loss."""
    return tf.reduce_sum(_square_error(features, target))


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """Return G = FᵀF / (h·w), float32 (channels, channels), of (1, h, w, channels).

    Gatys et al., 2016, equation 3, divided by the number of positions.
    """
    shape = tf.shape(features)
    return gram_sum(features) / tf.cast(shape[1] * shape[2], tf.float32)


@tf.custom_gradient
def gram_sum(features: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Return FᵀF, float32 (channels, channels), of (1, h, w, channels).

    The product itself is float32, since G − A loses the leading digits; its gradient
    F·(D + Dᵀ) is taken in the features' own precision, which costs a quarter less time in all.
    """
    shape, flat = tf.shape(features), _flat(features)
    exact = tf.cast(flat, tf.float32)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        both = tf.cast(upstream + tf.transpose(upstream), features.dtype)
        return tf.reshape(tf.matmul(flat, both), shape)

    return tf.matmul(exact, exact, transpose_a=True), gradient


@tf.custom_gradient
def masked_gram_sum(features: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, None]]]:
    """Return Fᵀ diag(m) F, float32 (channels, channels); precision as for ``gram_sum``.

    Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", 2017, section 4.1,
    with √m as the guidance channel.

    Args:
        features: (1, h, w, channels).
        mask: float32 (h, w) in [0, 1], a constant: no gradient goes to it.
    """
    shape, flat, column = tf.shape(features), _flat(features), tf.reshape(mask, [-1, 1])
    exact = tf.cast(flat, tf.float32)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None]:
        both = tf.cast(upstream + tf.transpose(upstream), features.dtype)
        return tf.reshape(tf.matmul(flat, both) * tf.cast(column, features.dtype), shape), None

    return tf.matmul(exact, column * exact, transpose_a=True), gradient


def style_loss(grams: Sequence[tf.Tensor], targets: Sequence[tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
    """Return 1e5 · Σ wₗ · mean((Gₗ − Aₗ)²) / nₗ², float32, over layers with nₗ channels, and over regions where there are some.

    Args:
        grams, targets: one (nₗ, nₗ) matrix a layer, or (regions, nₗ, nₗ).
        weights: (layers,) float32, or (layers, regions).
    """
    terms = [
        tf.reduce_mean(tf.square(gram - target), axis=[-2, -1]) / gram.shape[-1] ** 2 for gram, target in zip(grams, targets, strict=True)
    ]
    return STYLE_FACTOR * tf.reduce_sum(tf.stack(terms) * weights)


def total_variation(image: tf.Tensor) -> tf.Tensor:
    """Return mean((x[i+1, j] − x[i, j])²) + mean((x[i, j+1] − x[i, j])²) of (1, h, w, 3)."""
    down = tf.reduce_mean(tf.square(image[:, 1:] - image[:, :-1]))
    across = tf.reduce_mean(tf.square(image[:, :, 1:] - image[:, :, :-1]))
    return down + across


def _square_error(features: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    return tf.square(tf.cast(features, tf.float32) - tf.cast(target, tf.float32))


def _flat(features: tf.Tensor) -> tf.Tensor:
    return tf.reshape(features, [-1, features.shape[-1]])
