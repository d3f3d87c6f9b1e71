"""The judge: one float32 loss at three scales, the same for every way of painting."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.specs import STYLE_LAYERS
from workers.nets.vgg19 import VGG19
from workers.style.losses import content_loss, gram_matrix, style_loss
from workers.style.pyramid import sides
from workers.style.resample import resize, shrink

SCALES = (512, 256, 128)
_CONTENT = "relu4_2"


class Judge:
    """Mean over 512, 256 and 128 pixels of content loss at relu4_2 plus style loss, strength 1.

    VGG19 in float32 with zero padding and average pooling: the set-up of the published
    systems, not that of our own engine, which pads by reflection.
    """

    def __init__(self, vgg: VGG19) -> None:
        self._vgg = vgg
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        self._graph = tf.function(self._loss, input_signature=[picture, picture, picture])

    def loss(self, result: NDArray[np.uint8], content: NDArray[np.uint8], style: NDArray[np.uint8]) -> float:
        """Return the three-scale loss of a finished uint8 picture whose longer side is 512."""
        painted = result / np.float32(255)
        losses = []
        for scale in SCALES:
            height, width = sides(*result.shape[:2], scale)
            pictures = (resize(painted, height, width), shrink(content, height, width), shrink(style, *sides(*style.shape[:2], scale)))
            losses.append(float(self._graph(*(tf.constant(picture[None]) for picture in pictures))))
        return sum(losses) / len(losses)

    def _loss(self, result: tf.Tensor, content: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
        found = self._vgg.features(result, {*STYLE_LAYERS, _CONTENT})
        wanted = self._vgg.features(style, STYLE_LAYERS)
        target = self._vgg.features(content, [_CONTENT])[_CONTENT]
        grams, targets = ([gram_matrix(features[layer]) for layer in STYLE_LAYERS] for features in (found, wanted))
        return content_loss(found[_CONTENT], target) + style_loss(grams, targets, tf.ones(len(STYLE_LAYERS)))
