"""The ways of painting that ours is compared with, each as its source has it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.specs import STYLE_LAYERS
from workers.nets.vgg19 import VGG19
from workers.style.instant import Instant
from workers.style.losses import content_loss, gram_matrix, style_loss
from workers.style.optimiser import Evaluation, Vector, adam, lbfgs
from workers.style.pyramid import sides
from workers.style.resample import Picture, resize, shrink, to_uint8

_CONTENT = "relu4_2"


@dataclass(frozen=True)
class Painted:
    """A finished picture and the seconds each iteration took, the first one with its tracing left out."""

    picture: NDArray[np.uint8]
    seconds: list[float]


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


def float32_adam(vgg: VGG19, content: NDArray[np.uint8], style: NDArray[np.uint8], iterations: int) -> Iterator[Painted]:
    """Yield, after each iteration, the plain run at 512 from the photograph: Adam 0.02, β₁ 0.99, ε 0.1, float32."""
    start, painting = _at(content, 512), _at(style, 512)
    objective = PlainObjective(vgg, tf.float32, start, painting)
    objective.evaluate(start.ravel())
    seconds: list[float] = []
    before = time.perf_counter()
    for iterate in adam(objective.evaluate, start.ravel(), iterations, learning_rate=0.02, beta1=0.99, epsilon=0.1):
        seconds.append(time.perf_counter() - before)
        yield Painted(to_uint8(iterate.x.reshape(start.shape)), seconds)
        before = time.perf_counter()


def recipe(vgg: VGG19, instant: Instant, dtype: tf.DType, content: NDArray[np.uint8], style: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return AdaIN at 512, then 60 iterations of L-BFGS at 256 and 25 at 512, one scale at a time, clipped only at the end."""
    canvas = _at(content, 512)
    height, width = (-(-side // 8) * 8 for side in canvas.shape[:2])
    picture = instant.paint(resize(canvas, height, width), _at(style, 512))
    for side, iterations in ((256, 60), (512, 25)):
        target = _at(content, side)
        objective = PlainObjective(vgg, dtype, target, _at(style, side))
        start = resize(picture, *target.shape[:2])
        *_, last = lbfgs(objective.evaluate, start.ravel(), iterations, low=-np.inf, high=np.inf)
        picture = last.x.reshape(target.shape)
    return to_uint8(picture)


def _at(pixels: NDArray[np.uint8], longer: int) -> Picture:
    return shrink(pixels, *sides(*pixels.shape[:2], longer))
