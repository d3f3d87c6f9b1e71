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
        self._graph = tf.function(self._stylised, input_signature=[picture, picture])

    def paint(self, content: Picture, style: Picture) -> Picture:
        """Return ``content`` in the style of ``style``.

        Args:
            content: float32 (h, w, 3) in [0, 1]; sides multiples of 8.
            style: the same, of any size from 32.

        Returns:
            float32 (h, w, 3) in [0, 1].
        """
        return np.clip(self._graph(tf.constant(content[None]), tf.constant(style[None])).numpy()[0], 0.0, 1.0)

    def _stylised(self, content: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
        encoded = [
            self._vgg.features(image, [_LAYER], padding="reflect", pooling="max", dtype=self._dtype)[_LAYER] for image in (content, style)
        ]
        return self._decoder.decode(adain(*encoded), dtype=self._dtype)
