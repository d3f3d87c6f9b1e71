"""The objective at one scale: its value and gradient, over all levels, of what is seen of the canvas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from app.core.progress import Losses
from app.core.specs import STYLE_LAYERS, StyleParams
from workers.nets.vgg19 import LAYERS, VGG19, Padding, Pooling
from workers.style.level import Level, Wanted
from workers.style.losses import total_variation
from workers.style.optimiser import Evaluation, Vector
from workers.style.pyramid import Scale
from workers.style.resample import Picture, lanczos
from workers.style.targets import Aims, mixing, shown
from workers.style.tiles import cost


class Objective:
    """Mean over the levels of content and style loss, and total variation, for canvases of every size.

    Looking at the picture's half and quarter as well as at the picture itself keeps the
    large brush strokes that a fine scale alone unpicks. Its graphs take every size: a graph
    for each would cost a second and stay in memory.
    """

    def __init__(self, vgg: VGG19, dtype: tf.DType, *, padding: Padding = "zero", pooling: Pooling = "avg", xla: bool = False) -> None:
        self._vgg, self._dtype, self._padding, self._pooling, self._xla = vgg, dtype, padding, pooling, xla
        self._levels: dict[tuple[str | None, tuple[str, ...], int], Level] = {}
        matrix, picture = tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([None, None, 3], tf.float32)
        self._resampled = tf.function(_resampled, input_signature=[picture, matrix, matrix])
        self._variation = tf.function(_variation, input_signature=[picture])

    def evaluate(self, x: Vector, aims: Aims, params: StyleParams, weights: Sequence[float] = (1.0,)) -> Evaluation[Losses]:
        """Return loss, gradient and terms at ``x``.

        Where the photograph is protected the losses are those of what is seen, p · photograph
        + (1 − p) · x, and the gradient is that by x.

        Args:
            x: the canvas of the scale that ``aims`` are of, as a float32 vector.
            params: content weight, style weights, strength and tv; they may differ each time.
            weights: of the paintings, as ``Style.weight``; they may differ each time.
        """
        canvas = shown(x.reshape(aims.shape), aims)
        regions = 0 if aims.regions is None else len(weights)
        pictures = [canvas]
        for _ in aims.contents[1:]:
            pictures.append(self._halved(pictures[-1]))
        content = style = 0.0
        gradient = np.zeros((0, 0, 3), np.float32)
        for number, picture in reversed(list(enumerate(pictures))):
            content_layer = None if aims.contents[number] is None else params.content_layer
            level = self._level(content_layer, STYLE_LAYERS[: len(aims.styles[number])], regions)
            more_content, more_style, own = level.evaluate(picture, self._wanted(aims, number, params, weights), aims.tile, aims.on_window)
            content, style = content + more_content, style + more_style
            gradient = own + self._enlarged(gradient, *picture.shape[:2]) if gradient.size else own
        tv = 0.0
        if params.tv:
            variation, smoothing = self._variation(tf.constant(canvas))
            tv = params.tv * float(variation)
            gradient = gradient + np.float32(params.tv) * smoothing.numpy()
        if aims.protect is not None:
            gradient = gradient * (1 - aims.protect)
        losses = Losses(content, style, tv, content + style + tv)
        return Evaluation(losses.total, gradient.ravel(), losses)

    @property
    def traces(self) -> int:
        """How many graphs were built for one purpose: 1 once used, whatever the pictures and weights."""
        return max(level.traces for level in self._levels.values())

    def _level(self, content_layer: str | None, style_layers: tuple[str, ...], regions: int) -> Level:
        key = content_layer, style_layers, regions
        if key not in self._levels:
            self._levels[key] = Level(self._vgg, self._dtype, *key, padding=self._padding, pooling=self._pooling, xla=self._xla)
        return self._levels[key]

    def _wanted(self, aims: Aims, number: int, params: StyleParams, weights: Sequence[float]) -> Wanted:
        mixture, areas = mixing(weights, aims, number)
        layers = np.array(list(params.style_weights.values()), np.float32) * np.float32(params.strength)
        levels = len(aims.contents)
        return Wanted(
            aims.contents[number],
            aims.styles[number],
            aims.regions[number] if aims.regions else None,
            mixture,
            params.content_weight / sum(content is not None for content in aims.contents),
            layers[: len(aims.styles[number]), None] * areas[None] / np.float32(levels),
        )

    def _halved(self, picture: Picture) -> Picture:
        rows, columns = (lanczos(side, side // 2) for side in picture.shape[:2])
        return self._resampled(tf.constant(picture), tf.constant(rows), tf.constant(columns)).numpy()

    def _enlarged(self, gradient: Picture, height: int, width: int) -> Picture:
        """Return the adjoint of halving a picture of (height, width), applied to ``gradient``."""
        rows, columns = (lanczos(side, side // 2).T for side in (height, width))
        return self._resampled(tf.constant(gradient), tf.constant(rows), tf.constant(columns)).numpy()


def evaluation_cost(scale: Scale, content_layer: str, tile: int) -> float:
    """Return what one evaluation costs at a scale, in pixels through forward and backward pass to relu5_1."""
    found = 0.0
    for level in range(scale.levels):
        found += cost(scale.height >> level, scale.width >> level, tile, deepest(scale, level, content_layer))
    return found


def deepest(scale: Scale, level: int, content_layer: str) -> str:
    """Return the layer down to which the network is run at a level of a scale."""
    layers = scale.style_layers(level)
    return max(layers[-1], content_layer, key=LAYERS.index) if layers == STYLE_LAYERS else layers[-1]


def _resampled(picture: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    return tf.transpose(tf.tensordot(columns, tf.tensordot(rows, picture, 1), [[1], [1]]), [1, 0, 2])


def _variation(picture: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(picture)
        value = total_variation(picture[None])
    return value, tape.gradient(value, picture)
