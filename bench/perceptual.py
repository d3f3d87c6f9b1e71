"""How far a picture is from another in the eyes of the network: a distance in the manner of LPIPS."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from workers.nets.vgg19 import VGG19

# The last activation of each block, as LPIPS has them, as far as our network goes in every use; the weights are ours.
WEIGHTS = {"relu1_2": 0.2, "relu2_2": 0.2, "relu3_4": 0.2, "relu4_4": 0.2, "relu5_1": 0.2}
_NEVER_ZERO = 1e-10


class Perceptual:
    """Distance of two pictures by features whose channels are brought to unit length at each position.

    Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    2018, equation 1, with our normalised VGG19 (zero padding, average pooling, float32) and one
    stated weight a layer in place of learnt weights of channels.
    """

    def __init__(self, vgg: VGG19) -> None:
        self._vgg = vgg
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        self._graph = tf.function(self._distance, input_signature=[picture, picture])

    def distance(self, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
        """Return the distance of two uint8 RGB pictures of the same shape: 0 for the same, at most 2."""
        return float(self._graph(*(tf.constant(pixels[None] / np.float32(255)) for pixels in (one, other))))

    def _distance(self, one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        found = [self._vgg.features(picture, WEIGHTS) for picture in (one, other)]
        return tf.add_n([weight * difference(found[0][layer], found[1][layer]) for layer, weight in WEIGHTS.items()])


def difference(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Return the mean over positions of |u − v|², u and v being the unit vectors of features (1, h, w, channels)."""
    unit = [features / (tf.norm(features, axis=-1, keepdims=True) + _NEVER_ZERO) for features in (one, other)]
    return tf.reduce_mean(tf.reduce_sum(tf.square(unit[0] - unit[1]), axis=-1))
