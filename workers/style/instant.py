"""The instant picture: AdaIN, one pass and no optimisation."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from workers.nets.adain_decoder import AdaINDecoder, adain
from workers.nets.vgg19 import VGG19
from workers.style.resample import Picture

_LAYER = "relu4_1"


class Instant:
    """Encoder, AdaIN and decoder as one graph, for pictures of every size."""

    def __init__(self, vgg: VGG19, decoder: AdaINDecoder, dtype: tf.DType) -> None:
        self._vgg, self._decoder, self._dtype = vgg, decoder, dtype
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        self._graph = tf.function(self._stylised, input_signature=[picture, picture, tf.TensorSpec([], tf.float32)])

    def paint(self, content: Picture, style: Picture, alpha: float = 1.0) -> Picture:
        """Return ``content`` in the style of ``style``.

        Args:
            content: float32 (h, w, 3) in [0, 1]; sides multiples of 8.
            style: the same, of any size from 32.
            alpha: how much of the style, 0 to 1: equation 14, a blend of the features before they are decoded.

        Returns:
            float32 (h, w, 3) in [0, 1].
        """
        made = self._graph(tf.constant(content[None]), tf.constant(style[None]), tf.constant(alpha, tf.float32))
        return np.clip(made.numpy()[0], 0.0, 1.0)

    def _stylised(self, content: tf.Tensor, style: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
        encoded = [
            self._vgg.features(image, [_LAYER], padding="reflect", pooling="max", dtype=self._dtype)[_LAYER] for image in (content, style)
        ]
        blend = alpha * adain(*encoded) + (1.0 - alpha) * tf.cast(encoded[0], tf.float32)
        return self._decoder.decode(blend, dtype=self._dtype)
