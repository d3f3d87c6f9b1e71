"""The instant picture: AdaIN, one pass and no optimisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from workers.nets.adain_decoder import AdaINDecoder, restyled, statistics
from workers.nets.vgg19 import VGG19, Pooling, stride
from workers.style.grid import without_grid
from workers.style.regions import Mask, seen, stretched
from workers.style.resample import Picture
from workers.style.tiles import extent

_LAYER = "relu4_1"
_POOLING: Pooling = "max"


class Instant:
    """Encoder, AdaIN and decoder as graphs for pictures of every size."""

    def __init__(self, vgg: VGG19, decoder: AdaINDecoder, dtype: tf.DType) -> None:
        self._vgg, self._decoder, self._dtype = vgg, decoder, dtype
        picture, styles = tf.TensorSpec([1, None, None, 3], tf.float32), tf.TensorSpec([None, vgg.channels(_LAYER)], tf.float32)
        self._statistics = tf.function(self._statistics_of, input_signature=[picture, tf.TensorSpec([1, None, None, 1], tf.float32)])
        self._graph = tf.function(self._stylised, input_signature=[picture, styles, styles, tf.TensorSpec([None, None, None], tf.float32)])

    def paint(self, content: Picture, style: Picture, alpha: float = 1.0) -> Picture:
        """Return ``content`` in the style of ``style``, as it was published: with the decoder's grid.

        Args:
            content: float32 (h, w, 3) in [0, 1]; sides multiples of 8.
            style: the same, of any size from 32.
            alpha: how much of the style, 0 to 1: equation 14, a blend of the features before they are decoded.

        Returns:
            float32 (h, w, 3) in [0, 1].
        """
        return np.clip(self._decoded(content, [style], [None], np.full((*content.shape[:2], 1), alpha, np.float32)), 0.0, 1.0)

    def blend(self, content: Picture, styles: Sequence[Picture], parts: Sequence[Mask | None], shares: Mask) -> Picture:
        """Return ``content`` in a mixture of styles, blended as features before they are decoded (section 7.3 of the paper), without the grid.

        Args:
            content, styles: as for ``paint``.
            parts: of each style where it is taken from, as ``Style.part``.
            shares: float32 (h, w, styles): how much of each; what a place lacks to 1 is the content's own.

        Returns:
            float32 (h, w, 3) in [0, 1].
        """
        return np.clip(without_grid(self._decoded(content, styles, parts, shares)), 0.0, 1.0)

    def _decoded(self, content: Picture, styles: Sequence[Picture], parts: Sequence[Mask | None], shares: Mask) -> Picture:
        found = [
            self._statistics(tf.constant(style[None]), tf.constant(_weights(style, part)[None]))
            for style, part in zip(styles, parts, strict=True)
        ]
        means, deviations = (tf.concat([one[which] for one in found], 0) for which in range(2))
        step, (height, width) = stride(_LAYER), content.shape[:2]
        blocks = shares.reshape(height // step, step, width // step, step, -1).mean(axis=(1, 3), dtype=np.float32)
        made: Picture = self._graph(tf.constant(content[None]), means, deviations, tf.constant(blocks)).numpy()[0]
        return made

    def _statistics_of(self, style: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mean, deviation = statistics(self._encoded(style), weights=weights)
        return mean[:, 0, 0], deviation[:, 0, 0]

    def _stylised(self, content: tf.Tensor, means: tf.Tensor, deviations: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
        encoded = self._encoded(content)
        every = tf.maximum(tf.reduce_sum(shares, axis=-1, keepdims=True), 1e-6)
        mean, deviation = (tf.tensordot(shares / every, one, 1)[None] for one in (means, deviations))
        styled = every * restyled(encoded, mean, deviation) + (1.0 - every) * tf.cast(encoded, tf.float32)
        return self._decoder.decode(styled, dtype=self._dtype)

    def _encoded(self, image: tf.Tensor) -> tf.Tensor:
        return self._vgg.features(image, [_LAYER], padding="reflect", pooling=_POOLING, dtype=self._dtype)[_LAYER]


def _weights(style: Picture, part: Mask | None) -> Picture:
    """Return how much each of the features counts."""
    height, width = style.shape[:2]
    if part is None:
        return np.ones((*(extent(side, _LAYER, _POOLING) for side in (height, width)), 1), np.float32)
    return seen(stretched(part, height, width), _LAYER, _POOLING)
