"""The ways of painting that ours is compared with, each as its source has it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.specs import STYLE_LAYERS
from workers.nets.vgg19 import VGG19
from workers.style.losses import content_loss, gram_matrix, style_loss
from workers.style.optimiser import Evaluation, Vector
from workers.style.pyramid import sides
from workers.style.resample import Picture, shrink

_CONTENT = "relu4_2"


class PlainObjective:
    """Content at relu4_2 and Gram matrices of one scale, zero padding, as in the tutorials."""

    def __init__(self, vgg: VGG19, dtype: tf.DType, content: Picture, style: Picture) -> None:
        self._vgg, self._dtype, self._shape = vgg, dtype, (1, *content.shape)
        target = vgg.features(tf.constant(content[None]), [_CONTENT], dtype=dtype)[_CONTENT]
        wanted = vgg.features(tf.constant(style[None]), STYLE_LAYERS, dtype=dtype)
        self._content = tf.cast(target, tf.float32)
        self._styles = [gram_matrix(wanted[layer]) for layer in STYLE_LAYERS]
        self._graph = tf.function(self._loss_and_gradient)

    def evaluate(self, x: Vector) -> Evaluation[None]:
        loss, gradient = self._graph(tf.constant(x.reshape(self._shape)), self._content, self._styles)
        return Evaluation(float(loss), gradient.numpy().ravel(), None)

    def _loss_and_gradient(self, image: tf.Tensor, content: tf.Tensor, styles: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = self._vgg.features(image, {*STYLE_LAYERS, _CONTENT}, dtype=self._dtype)
            grams = [gram_matrix(found[layer]) for layer in STYLE_LAYERS]
            loss = content_loss(found[_CONTENT], content) + style_loss(grams, styles, tf.ones(len(STYLE_LAYERS)))
        return loss, tape.gradient(loss, image)


def at(pixels: NDArray[np.uint8], longer: int) -> Picture:
    """Return a uint8 picture as float32 in [0, 1], its longer side ``longer``, none under 32 pixels."""
    height, width = sides(*pixels.shape[:2], longer)
    return shrink(pixels, max(32, height), max(32, width))
