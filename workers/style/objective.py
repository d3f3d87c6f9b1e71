"""The objective at one scale: its targets, and its value and gradient as one TensorFlow graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from app.core.progress import Losses
from app.core.specs import STYLE_LAYERS, StyleParams
from workers.nets.vgg19 import VGG19, Padding, Pooling
from workers.style.losses import content_loss, gram_matrix, style_loss, total_variation
from workers.style.optimiser import Evaluation, Vector
from workers.style.pyramid import Scale, sides
from workers.style.resample import Picture, lanczos, resize, shrink

# relu5_1 needs a pixel after four poolings.
_SMALLEST_STYLE = 32


class Targets:
    """What one job is drawn to: content features and Gram matrices, each computed once for each size."""

    def __init__(self, vgg: VGG19, dtype: tf.DType, *, padding: Padding = "zero", pooling: Pooling = "avg") -> None:
        self._vgg, self._dtype, self._padding, self._pooling = vgg, dtype, padding, pooling
        # One graph for pictures of every size: used once a size, so it must not be traced for each.
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        self._grams = tf.function(self._grams_of, input_signature=[picture])
        self._contents: dict[str, tf.types.experimental.PolymorphicFunction] = {}
        self._picture = picture

    def content(self, canvas: Picture, layer: str) -> tf.Tensor:
        """Return the float32 features of ``canvas``, (h, w, 3), at ``layer``."""
        if layer not in self._contents:

            def features(image: tf.Tensor) -> tf.Tensor:
                return tf.cast(self._features(image, [layer])[layer], tf.float32)

            self._contents[layer] = tf.function(features, input_signature=[self._picture])
        return self._contents[layer](tf.constant(canvas[None]))

    def style(self, pixels: np.ndarray, longer: int) -> list[tf.Tensor]:
        """Return the Gram matrices of a uint8 painting resized to ``longer``, in its own proportions."""
        height, width = (max(_SMALLEST_STYLE, side) for side in sides(*pixels.shape[:2], longer))
        return self._grams(tf.constant(shrink(pixels, height, width)[None]))

    def _grams_of(self, image: tf.Tensor) -> list[tf.Tensor]:
        found = self._features(image, STYLE_LAYERS)
        return [gram_matrix(found[layer]) for layer in STYLE_LAYERS]

    def _features(self, image: tf.Tensor, layers: Iterable[str]) -> dict[str, tf.Tensor]:
        return self._vgg.features(image, layers, padding=self._padding, pooling=self._pooling, dtype=self._dtype)


@dataclass(frozen=True)
class Aims:
    """Targets of every level of a scale: content features and Gram matrices, finest first."""

    contents: list[tf.Tensor]
    styles: list[list[tf.Tensor]]


class JobTargets:
    """The targets of one job, kept while it lasts: half of 512 is what the scale before had whole."""

    def __init__(self, targets: Targets, content: Picture, style: np.ndarray, params: StyleParams) -> None:
        self._targets, self._content, self._style, self._params = targets, content, style, params
        self._contents: dict[tuple[int, int], tf.Tensor] = {}
        self._styles: dict[int, list[tf.Tensor]] = {}

    def aims(self, scale: Scale) -> Aims:
        """Return the targets of ``scale``, computing those that no scale before has asked for."""
        contents, styles = [], []
        for level in range(scale.levels):
            shape = scale.height >> level, scale.width >> level
            if shape not in self._contents:
                self._contents[shape] = self._targets.content(resize(self._content, *shape), self._params.content_layer)
            longer = round(scale.side * self._params.style_scale) >> level
            if longer not in self._styles:
                self._styles[longer] = self._targets.style(self._style, longer)
            contents.append(self._contents[shape])
            styles.append(self._styles[longer])
        return Aims(contents, styles)


class Objective:
    """Mean over the levels of content and style loss, and total variation, of a canvas of one fixed shape.

    Looking at the picture's half and quarter as well as at the picture itself keeps the
    large brush strokes that a fine scale alone unpicks.
    """

    def __init__(
        self,
        vgg: VGG19,
        dtype: tf.DType,
        height: int,
        width: int,
        levels: int,
        content_layer: str,
        *,
        padding: Padding = "zero",
        pooling: Pooling = "avg",
    ) -> None:
        self._vgg, self._dtype, self._levels, self._layer = vgg, dtype, levels, content_layer
        self._padding, self._pooling = padding, pooling
        self._shape = (1, height, width, 3)
        self._graph = tf.function(self._losses_and_gradient, reduce_retracing=False)

    def evaluate(self, x: Vector, aims: Aims, params: StyleParams) -> Evaluation[Losses]:
        """Return loss, gradient and terms at ``x``, the canvas as a float32 vector."""
        weights = tf.constant([params.strength * weight for weight in params.style_weights.values()], tf.float32)
        terms, gradient = self._graph(
            tf.constant(x.reshape(self._shape)),
            aims.contents,
            aims.styles,
            tf.constant(params.content_weight, tf.float32),
            weights,
            tf.constant(params.tv, tf.float32),
        )
        content, style, tv = (float(term) for term in terms.numpy())
        losses = Losses(content, style, tv, content + style + tv)
        return Evaluation(losses.total, gradient.numpy().ravel(), losses)

    @property
    def traces(self) -> int:
        """How many graphs there are: 1 once used, whatever the pictures and weights."""
        return int(self._graph.experimental_get_tracing_count())

    def _losses_and_gradient(
        self,
        image: tf.Tensor,
        contents: list[tf.Tensor],
        styles: list[list[tf.Tensor]],
        content_weight: tf.Tensor,
        style_weights: tf.Tensor,
        tv_weight: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        layers = {*STYLE_LAYERS, self._layer}
        with tf.GradientTape() as tape:
            tape.watch(image)
            level, content, style = image, 0.0, 0.0
            for number in range(self._levels):
                if number:
                    level = _half(level)
                found = self._vgg.features(level, layers, padding=self._padding, pooling=self._pooling, dtype=self._dtype)
                content += content_loss(found[self._layer], contents[number])
                style += style_loss([gram_matrix(found[layer]) for layer in STYLE_LAYERS], styles[number], style_weights)
            terms = tf.stack([content_weight * content / self._levels, style / self._levels, tv_weight * total_variation(image)])
            total = tf.reduce_sum(terms)
        return terms, tape.gradient(total, image)


def _half(image: tf.Tensor) -> tf.Tensor:
    _, height, width, _ = image.shape
    rows = tf.constant(lanczos(height, height // 2))
    columns = tf.constant(lanczos(width, width // 2))
    return tf.einsum("ph,bhwc,qw->bpqc", rows, image, columns, optimize="optimal")
