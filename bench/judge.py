"""The judge: the same measures for every way of painting, in float32."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.specs import STYLE_LAYERS
from bench.edges import edges, ssim
from bench.perceptual import Perceptual
from bench.records import Measures
from bench.waffle import waffle
from workers.nets.vgg19 import VGG19
from workers.style.losses import content_loss, gram_matrix, style_loss
from workers.style.pyramid import sides
from workers.style.resample import resize, shrink, to_uint8

# At the size itself, its half and its quarter: 512, 256 and 128.
SCALES = 3
# relu5_1 needs a pixel after four poolings.
_SMALLEST = 32
_CONTENT = "relu4_2"


class Judge:
    """Mean over three scales of content loss at relu4_2 and of style loss, strength 1; and the measures of its neighbours.

    VGG19 in float32 with zero padding and average pooling: the set-up of the published systems.
    """

    def __init__(self, vgg: VGG19) -> None:
        self._vgg = vgg
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        self._graph = tf.function(self._losses, input_signature=[picture, picture, picture])
        self._perceptual = Perceptual(vgg)

    def measures(self, result: NDArray[np.uint8], content: NDArray[np.uint8], style: NDArray[np.uint8]) -> Measures:
        """Return every measure of a finished uint8 RGB picture; ``content`` and ``style`` may be of any size."""
        photograph = to_uint8(shrink(content, *result.shape[:2]))
        return Measures(
            *self.losses(result, content, style),
            ssim(edges(result), edges(photograph)),
            self._perceptual.distance(result, photograph),
            waffle(result, photograph),
        )

    def losses(self, result: NDArray[np.uint8], content: NDArray[np.uint8], style: NDArray[np.uint8]) -> tuple[float, float]:
        """Return content and style loss, each the mean over the scales."""
        painted, longer = result / np.float32(255), max(result.shape[:2])
        found = []
        for scale in (longer >> power for power in range(SCALES)):
            height, width = _at_least(*sides(*result.shape[:2], scale))
            pictures = (
                resize(painted, height, width),
                shrink(content, height, width),
                shrink(style, *_at_least(*sides(*style.shape[:2], scale))),
            )
            found.append(self._graph(*(tf.constant(picture[None]) for picture in pictures)).numpy())
        content_part, style_part = np.mean(found, axis=0)
        return float(content_part), float(style_part)

    def _losses(self, result: tf.Tensor, content: tf.Tensor, style: tf.Tensor) -> tf.Tensor:
        found = self._vgg.features(result, {*STYLE_LAYERS, _CONTENT})
        wanted = self._vgg.features(style, STYLE_LAYERS)
        target = self._vgg.features(content, [_CONTENT])[_CONTENT]
        grams, targets = ([gram_matrix(features[layer]) for layer in STYLE_LAYERS] for features in (found, wanted))
        return tf.stack([content_loss(found[_CONTENT], target), style_loss(grams, targets, tf.ones(len(STYLE_LAYERS)))])


def _at_least(height: int, width: int) -> tuple[int, int]:
    return max(_SMALLEST, height), max(_SMALLEST, width)
