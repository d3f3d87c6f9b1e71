"""Adaptive instance normalisation and its decoder.

Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
Normalization", 2017: equation 8 and the decoder of section 6.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from workers.nets.manifest import DECODER_LAYERS
from workers.nets.vgg19 import convolve

_UPSAMPLE_AFTER = {"4_1", "3_1", "2_1"}


class AdaINDecoder:
    """Turns relu4_1 features back into a picture."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take the weights as ``workers.nets.weights.load("adain_decoder", …)`` gives them."""
        self._weights = weights
        self._constants: dict[tf.DType, dict[str, tf.Tensor]] = {}

    def decode(self, features: tf.Tensor, *, dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Return the picture of ``features``.

        Args:
            features: (batch, h, w, 512) relu4_1 activations, reflect padding and max pooling.
            dtype: float32 or bfloat16, of the convolutions.

        Returns:
            float32 (batch, 8·h, 8·w, 3) RGB, about [0, 1] and not clipped. A picture whose
            sides are not multiples of 8 comes back larger by the remainder, below and right.
        """
        weights = self._in(dtype)
        x = tf.cast(features, dtype)
        last = DECODER_LAYERS[-1][0]
        for name, *_ in DECODER_LAYERS:
            x = convolve(x, weights[f"conv{name}.kernel"], weights[f"conv{name}.bias"], "reflect")
            if name != last:
                x = tf.nn.relu(x)
            if name in _UPSAMPLE_AFTER:
                x = tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
        return tf.cast(x, tf.float32)

    def _in(self, dtype: tf.DType) -> dict[str, tf.Tensor]:
        if dtype not in self._constants:
            with tf.init_scope():
                self._constants[dtype] = {key: tf.constant(array, dtype) for key, array in self._weights.items()}
        return self._constants[dtype]


def adain(content: tf.Tensor, style: tf.Tensor, eps: float = 1e-5) -> tf.Tensor:
    """Return ``content`` with the channel means and deviations of ``style``.

    σ(s)·(c − μ(c))/σ(c) + μ(s), with σ² the population variance plus ``eps``; computed
    in float32 whatever the features are.

    Args:
        content: (batch, h, w, channels).
        style: (batch, h', w', channels); its size may differ.
        eps: added to both variances; keeps flat channels finite.

    Returns:
        float32 (batch, h, w, channels).
    """
    return restyled(content, *statistics(style, eps), eps)


def statistics(features: tf.Tensor, eps: float = 1e-5, weights: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """Return mean and deviation of each channel, float32 (batch, 1, 1, channels).

    Args:
        weights: float32 (batch, h, w, 1), how much each place counts, not all 0; None: all alike.
    """
    exact = tf.cast(features, tf.float32)
    if weights is None:
        mean, variance = tf.nn.moments(exact, [1, 2], keepdims=True)
    else:
        mean, variance = tf.nn.weighted_moments(exact, [1, 2], weights, keepdims=True)
    return mean, tf.sqrt(variance + eps)


def restyled(content: tf.Tensor, mean: tf.Tensor, deviation: tf.Tensor, eps: float = 1e-5) -> tf.Tensor:
    """Return ``content`` with other channel means and deviations, which may differ from place to place."""
    own_mean, own_deviation = statistics(content, eps)
    return (tf.cast(content, tf.float32) - own_mean) * (deviation / own_deviation) + mean
