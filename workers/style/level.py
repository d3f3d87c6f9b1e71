"""Content and style loss of one level of the picture and their gradient, in one piece or tile by tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from workers.nets.vgg19 import LAYERS, VGG19, Padding, Pooling, effort
from workers.style.losses import content_sum, gram_sum, masked_gram_sum, style_loss
from workers.style.regions import Mask, Regions
from workers.style.resample import Picture
from workers.style.tiles import FORWARD, OnWindow, Window, cut, extent, halo, is_cut, untold, windows

_Tensors = list[tf.Tensor]


@dataclass(frozen=True)
class Wanted:
    """What one level is compared with.

    Attributes:
        content: features (1, h', w', channels), or None where the content is not looked at.
        styles: for each of the level's style layers (paintings, n, n).
        regions: where each painting rules, or None.
        mixture: float32 (regions, paintings): of which paintings a region's target is made.
        content_weight: of the content loss.
        style_weights: float32 (layers, regions).
    """

    content: tf.Tensor | None
    styles: _Tensors
    regions: Regions | None
    mixture: Mask
    content_weight: float
    style_weights: Mask


class Level:
    """Graphs for levels of every size."""

    def __init__(
        self,
        vgg: VGG19,
        dtype: tf.DType,
        content_layer: str | None,
        style_layers: Sequence[str],
        regions: int,
        *,
        padding: Padding,
        pooling: Pooling,
        xla: bool,
    ) -> None:
        """Prepare the graphs.

        Args:
            content_layer: None where the content is not looked at.
            regions: how many have masks; 0 for a picture without.
            xla: compile each graph, anew for each shape that it meets.
        """
        self._vgg, self._dtype, self._layer, self._regions = vgg, dtype, content_layer, regions
        self._padding, self._pooling = padding, pooling
        self._styles = tuple(style_layers)
        self._layers = tuple(sorted({*style_layers, *([content_layer] if content_layer else [])}, key=LAYERS.index))
        self._halo, self._effort = halo(self._layers[-1]), effort(self._layers[-1])
        count, widths = max(1, regions), [vgg.channels(layer) for layer in style_layers]
        number = tf.TensorSpec([], tf.float32)
        # A window's picture, its content features, masks and core.
        window = (
            tf.TensorSpec([1, None, None, 3], tf.float32),
            tf.TensorSpec([1, None, None, vgg.channels(content_layer) if content_layer else 0], dtype),
            [tf.TensorSpec([regions, None, None], tf.float32)] * (len(style_layers) if regions else 0),
            tf.TensorSpec([4], tf.int32),
        )
        sums = [tf.TensorSpec([count, n, n], tf.float32) for n in widths]
        # Positions, the paintings' Gram matrices, mixture and weights.
        aims = (
            tf.TensorSpec([len(style_layers), count], tf.float32),
            [tf.TensorSpec([None, n, n], tf.float32) for n in widths],
            tf.TensorSpec([count, None], tf.float32),
            tf.TensorSpec([len(style_layers), count], tf.float32),
        )
        self._whole = tf.function(self._in_one_piece, input_signature=[*window, *aims, number], jit_compile=xla)
        self._statistics = tf.function(self._sums, input_signature=window, jit_compile=xla)
        self._style = tf.function(self._style_and_pull, input_signature=[sums, *aims], jit_compile=xla)
        self._gradient = tf.function(self._pulled, input_signature=[*window, sums, number], jit_compile=xla)

    def evaluate(self, picture: Picture, wanted: Wanted, tile: int, on_window: OnWindow = untold) -> tuple[float, float, Picture]:
        """Return weighted content loss, weighted style loss, and the gradient of their sum, float32 (h, w, 3).

        A picture larger than one tile with its halo is gone through twice: once to add up the
        statistics of all tiles, once for each tile's part of the gradient of the loss of the
        whole. The sums are the same as in one piece, but for the order of adding.

        Args:
            picture: float32 (h, w, 3).
            tile: largest side of a core, a multiple of 16.
            on_window: told of each window, in both passes; may raise.
        """
        height, width = picture.shape[:2]
        factor = tf.constant(0.0 if wanted.content is None else wanted.content_weight / prod(wanted.content.shape), tf.float32)
        aims = (
            self._positions(height, width, wanted.regions),
            wanted.styles,
            tf.constant(wanted.mixture),
            tf.constant(wanted.style_weights),
        )
        if is_cut(height, width, tile, self._halo):
            return self._tiled(picture, wanted, list(windows(height, width, tile, self._halo)), aims, factor, on_window)
        content, style, gradient = self._whole(*self._inputs(picture, wanted), *aims, factor)
        return float(content), float(style), gradient.numpy()[0]

    @property
    def traces(self) -> int:
        """How many graphs were built: at most one of each kind, whatever the pictures and weights."""
        return int(max(graph.experimental_get_tracing_count() for graph in (self._whole, self._statistics, self._style, self._gradient)))

    def _tiled(
        self,
        picture: Picture,
        wanted: Wanted,
        found: list[Window],
        aims: tuple[tf.Tensor, ...],
        factor: tf.Tensor,
        on_window: OnWindow,
    ) -> tuple[float, float, Picture]:
        content, sums = 0.0, [np.zeros((max(1, self._regions), *target.shape[1:])) for target in wanted.styles]
        for window in found:
            part, *added = self._statistics(*self._inputs(picture, wanted, window))
            content += float(part)
            for total, one in zip(sums, added, strict=True):
                total += one.numpy()
            on_window(FORWARD * self._effort * window.area)
        style, *pull = self._style([tf.constant(total, tf.float32) for total in sums], *aims)
        gradient = np.zeros_like(picture)
        for window in found:
            gradient[window.pixels] += self._gradient(*self._inputs(picture, wanted, window), pull, factor).numpy()[0]
            on_window(self._effort * window.area)
        return float(factor) * content, float(style), gradient

    def _positions(self, height: int, width: int, regions: Regions | None) -> tf.Tensor:
        if regions:
            return tf.constant(np.stack(regions.positions[: len(self._styles)]))
        counts = [[extent(height, layer, self._pooling) * extent(width, layer, self._pooling)] for layer in self._styles]
        return tf.constant(counts, tf.float32)

    def _inputs(self, picture: Picture, wanted: Wanted, window: Window | None = None) -> tuple[tf.Tensor, tf.Tensor, _Tensors, tf.Tensor]:
        """Return a window's part of everything; without a window the whole as its own core."""
        masks: list[NDArray[np.float32]] = wanted.regions.masks[: len(self._styles)] if wanted.regions else []
        content = tf.zeros([1, 0, 0, 0], self._dtype) if wanted.content is None else wanted.content
        if window is None:
            core = 0, picture.shape[0], 0, picture.shape[1]
            return tf.constant(picture[None]), content, [tf.constant(mask) for mask in masks], tf.constant(core)
        if self._layer:
            rows, columns = window.features(self._layer, "core")
            content = content[:, rows, columns]
        inside = [mask[:, *window.features(layer, "core")] for layer, mask in zip(self._styles, masks, strict=False)]
        return tf.constant(picture[window.pixels][None]), content, [tf.constant(mask) for mask in inside], tf.constant(window.core)

    def _sums(self, image: tf.Tensor, content: tf.Tensor, masks: _Tensors, core: tf.Tensor) -> _Tensors:
        """Return Σ(F − C)² and each layer's FᵀF, (regions, n, n), over the core."""
        every = self._vgg.features(image, self._layers, padding=self._padding, pooling=self._pooling, dtype=self._dtype)
        found = {layer: cut(features, layer, core) for layer, features in every.items()}
        if not self._regions:
            grams = [gram_sum(found[layer])[None] for layer in self._styles]
        else:
            grams = [
                tf.stack([masked_gram_sum(found[layer], mask[region]) for region in range(self._regions)])
                for layer, mask in zip(self._styles, masks, strict=True)
            ]
        return [content_sum(found[self._layer], content) if self._layer else tf.constant(0.0), *grams]

    def _style_of(self, sums: _Tensors, positions: tf.Tensor, styles: _Tensors, mixture: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        grams = [total / count[:, None, None] for total, count in zip(sums, tf.unstack(positions), strict=True)]
        return style_loss(grams, [tf.tensordot(mixture, target, 1) for target in styles], weights)

    def _in_one_piece(
        self, image: tf.Tensor, content: tf.Tensor, masks: _Tensors, core: tf.Tensor, *aims: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        *targets, factor = aims
        with tf.GradientTape() as tape:
            tape.watch(image)
            part, *sums = self._sums(image, content, masks, core)
            terms = factor * part, self._style_of(sums, *targets)
            total = terms[0] + terms[1]
        return *terms, tape.gradient(total, image)

    def _style_and_pull(self, sums: _Tensors, *targets: tf.Tensor) -> _Tensors:
        """Return the style loss and its gradient by each sum."""
        with tf.GradientTape() as tape:
            tape.watch(sums)
            loss = self._style_of(sums, *targets)
        return [loss, *tape.gradient(loss, sums)]

    def _pulled(
        self, image: tf.Tensor, content: tf.Tensor, masks: _Tensors, core: tf.Tensor, pull: _Tensors, factor: tf.Tensor
    ) -> tf.Tensor:
        """Return what a window adds to the gradient: of a sum that is linear in its statistics, so that all windows add up."""
        with tf.GradientTape() as tape:
            tape.watch(image)
            part, *sums = self._sums(image, content, masks, core)
            total = factor * part + tf.add_n([tf.reduce_sum(one * force) for one, force in zip(sums, pull, strict=True)])
        return tape.gradient(total, image)
