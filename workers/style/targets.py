"""What a picture is drawn to: content features and Gram matrices, each computed once for each size."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.commission import Commission
from app.core.specs import STYLE_LAYERS
from workers.nets.vgg19 import VGG19, Padding, Pooling, effort
from workers.style.losses import gram_sum, masked_gram_sum
from workers.style.pyramid import Frame, Scale, painted_sides
from workers.style.regions import Mask, Regions, canvas_masks, on_canvas, regions, seen, stretched
from workers.style.resample import Picture, resize, shrink
from workers.style.tiles import FORWARD, OnWindow, cut, extent, halo, untold, windows

# Rectangles of a picture are run through the network one after another, each of at most this many pixels a side
# without its halo, where the plan for the memory does not say otherwise.
TILE = 1024
# Paintings of one size whose Gram matrices are kept for the next picture, 2.4 MB each: many pictures are painted like few.
_KEPT = 32


class Targets:
    """The network's graphs for targets, for pictures of every size, and the paintings met last."""

    def __init__(self, vgg: VGG19, dtype: tf.DType, *, padding: Padding = "zero", pooling: Pooling = "avg") -> None:
        self._vgg, self._dtype, self._padding = vgg, dtype, padding
        self.pooling = pooling
        self._picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        self._sums: dict[tuple[tuple[str, ...], bool], tf.types.experimental.PolymorphicFunction] = {}
        self._contents: dict[str, tf.types.experimental.PolymorphicFunction] = {}
        self._styles: OrderedDict[tuple[bytes, tuple[str, ...], int, int], list[tf.Tensor]] = OrderedDict()

    def content(self, canvas: Picture, layer: str, tile: int = TILE, on_window: OnWindow = untold) -> tf.Tensor:
        """Return the features of ``canvas``, (h, w, 3), at ``layer``: (1, h', w', channels) in the network's precision."""
        if layer not in self._contents:

            def features(image: tf.Tensor) -> tf.Tensor:
                return self._features(image, [layer])[layer]

            self._contents[layer] = tf.function(features, input_signature=[self._picture])
        rows: dict[int, list[tf.Tensor]] = {}
        parts = list(windows(*canvas.shape[:2], tile, halo(layer)))
        for window in parts:
            found = self._contents[layer](tf.constant(canvas[window.pixels][None]))
            (top, left), (down, across) = window.features(layer, "window"), window.features(layer, "core")
            inside = found[:, down.start - top.start : down.stop - top.start, across.start - left.start : across.stop - left.start]
            rows.setdefault(window.rows.begin, []).append(inside)
            if len(parts) > 1:
                on_window(FORWARD * effort(layer) * window.area)
        joined = [row[0] if len(row) == 1 else tf.concat(row, axis=2) for row in rows.values()]
        return joined[0] if len(joined) == 1 else tf.concat(joined, axis=1)

    def style(
        self,
        pixels: NDArray[np.uint8],
        longer: int,
        layers: tuple[str, ...] = STYLE_LAYERS,
        tile: int = TILE,
        on_window: OnWindow = untold,
        part: Mask | None = None,
    ) -> list[tf.Tensor]:
        """Return the Gram matrices of a painting resized to ``longer``, in its own proportions, one for each of ``layers``.

        Args:
            part: where its style is taken from, see ``Style.part``.
        """
        # How it was cut changes the sums by rounding.
        cut_at = tile if max(painted_sides(pixels, longer)) > tile else 0
        key = _digest(pixels) + (b"" if part is None else _digest(part)), layers, longer, cut_at
        if key not in self._styles:
            self._styles[key] = self._grams(pixels, longer, layers, tile, on_window, part)
            if len(self._styles) > _KEPT:
                self._styles.popitem(last=False)
        self._styles.move_to_end(key)
        return self._styles[key]

    def _grams(
        self, pixels: NDArray[np.uint8], longer: int, layers: tuple[str, ...], tile: int, on_window: OnWindow, part: Mask | None
    ) -> list[tf.Tensor]:
        height, width = painted_sides(pixels, longer)
        mask = None if part is None else stretched(part, height, width)
        masks = [] if mask is None else [seen(mask, layer, self.pooling)[..., 0] for layer in layers]
        picture = shrink(pixels, height, width)
        sums_of = self._sums_of(layers, masked=part is not None)
        total: list[NDArray[np.float64]] = []
        found = list(windows(height, width, tile, halo(layers[-1])))
        for window in found:
            inside = [tf.constant(one[window.features(layer, "core")]) for layer, one in zip(layers, masks, strict=False)]
            each = sums_of(tf.constant(picture[window.pixels][None]), tf.constant(window.core), inside)
            sums = [one.numpy().astype(np.float64) for one in each]
            total = [before + one for before, one in zip(total, sums, strict=True)] if total else sums
            if len(found) > 1:
                on_window(FORWARD * effort(layers[-1]) * window.area)
        counts = [one.sum(dtype=np.float64) for one in masks] or [
            extent(height, layer, self.pooling) * extent(width, layer, self.pooling) for layer in layers
        ]
        return [tf.constant(one / count, tf.float32) for one, count in zip(total, counts, strict=True)]

    def _sums_of(self, layers: tuple[str, ...], masked: bool) -> tf.types.experimental.PolymorphicFunction:
        """Return the graph of a window's sums over its core, each place counted as its mask says where it has one."""
        if (layers, masked) not in self._sums:

            def statistics(image: tf.Tensor, core: tf.Tensor, masks: list[tf.Tensor]) -> list[tf.Tensor]:
                found = {layer: cut(features, layer, core) for layer, features in self._features(image, layers).items()}
                if not masked:
                    return [gram_sum(found[layer]) for layer in layers]
                return [masked_gram_sum(found[layer], mask) for layer, mask in zip(layers, masks, strict=True)]

            mask = tf.TensorSpec([None, None], tf.float32)
            signature = [self._picture, tf.TensorSpec([4], tf.int32), [mask] * (len(layers) if masked else 0)]
            self._sums[layers, masked] = tf.function(statistics, input_signature=signature)
        return self._sums[layers, masked]

    def _features(self, image: tf.Tensor, layers: Iterable[str]) -> dict[str, tf.Tensor]:
        return self._vgg.features(image, layers, padding=self._padding, pooling=self.pooling, dtype=self._dtype)


@dataclass(frozen=True)
class Aims:
    """Targets of every level of a scale, finest first.

    Attributes:
        shape: of the canvas, (height, width, 3).
        contents: content features (1, h', w', channels); None where the content is not looked at.
        styles: for each style layer that is looked at the Gram matrices of all paintings, (paintings, n, n).
        regions: where each painting rules; None where none has a mask.
        photograph, protect: the canvas, (h, w, 3), and where it stays as it is, (h, w, 1) in [0, 1], or None.
        tile: largest side of a core, in pixels; what is larger is cut up.
        on_window: told of each part that was worked on; may raise.
    """

    shape: tuple[int, int, int]
    contents: list[tf.Tensor | None]
    styles: list[list[tf.Tensor]]
    regions: list[Regions] | None = None
    photograph: Picture | None = None
    protect: Picture | None = None
    tile: int = TILE
    on_window: OnWindow = untold


class JobTargets:
    """The targets of one job, kept while it lasts: half of 512 is what the scale before had whole."""

    def __init__(
        self,
        targets: Targets,
        commission: Commission,
        frame: Frame,
        photograph: Picture,
        tile: int = TILE,
        on_window: OnWindow = untold,
    ) -> None:
        """Prepare for a commission.

        Args:
            photograph: the content on the full canvas, float32 (canvas height, canvas width, 3).
            tile, on_window: see ``Aims``.
        """
        self._targets, self._commission, self._content = targets, commission, photograph
        self._tile, self._on_window = tile, on_window
        self._masks = canvas_masks(commission.styles, frame)
        self._protect = None if commission.protect is None else on_canvas(commission.protect, frame)
        self._contents: dict[tuple[int, int], tf.Tensor] = {}
        self._styles: dict[tuple[int, tuple[str, ...]], list[tf.Tensor]] = {}

    def aims(self, scale: Scale) -> Aims:
        """Return the targets of ``scale``, computing those that no scale before has asked for."""
        params = self._commission.params
        shapes = [(scale.height >> level, scale.width >> level) for level in range(scale.levels)]
        looked_at = shapes[1:] if scale.fine else shapes
        for shape in looked_at:
            if shape not in self._contents:
                self._contents[shape] = self._targets.content(
                    resize(self._content, *shape), params.content_layer, self._tile, self._on_window
                )
        photograph, protect = None, None
        if self._protect is not None:
            photograph, protect = resize(self._content, *shapes[0]), np.clip(resize(self._protect, *shapes[0]), 0.0, 1.0)
        return Aims(
            (*shapes[0], 3),
            [self._contents[shape] if shape in looked_at else None for shape in shapes],
            [self._grams(round(scale.side * params.style_scale) >> level, scale.style_layers(level)) for level in range(scale.levels)],
            None if self._masks is None else [regions(self._masks, *shape, self._targets.pooling) for shape in shapes],
            photograph,
            protect,
            self._tile,
            self._on_window,
        )

    def _grams(self, longer: int, layers: tuple[str, ...]) -> list[tf.Tensor]:
        key = longer, layers
        if key not in self._styles:
            each = [
                self._targets.style(style.pixels, longer, layers, self._tile, self._on_window, style.part)
                for style in self._commission.styles
            ]
            self._styles[key] = [tf.stack(layer) for layer in zip(*each, strict=True)]
        return self._styles[key]


def _digest(array: NDArray[Any]) -> bytes:
    return hashlib.blake2b(repr(array.shape).encode() + array.tobytes()).digest()


def shown(x: Picture, aims: Aims) -> Picture:
    """Return what is seen of ``x``: p · photograph + (1 − p) · x, p being what is protected."""
    if aims.protect is None or aims.photograph is None:
        return x
    return aims.protect * aims.photograph + (1 - aims.protect) * x


def mixing(weights: Sequence[float], aims: Aims, level: int) -> tuple[Mask, Mask]:
    """Return how the paintings make the targets of the regions, and how much each region counts.

    Without masks one region is drawn to the weighted mean of the paintings' Gram matrices:
    up to a constant the same as the weighted sum of their losses. With masks each painting
    has a region of its own, which counts by its area and by the painting's weight over the
    mean weight, so that a pixel is drawn as strongly in a small region as in a large one.

    Returns:
        float32 (regions, paintings) and (regions,).
    """
    share = np.asarray(weights, np.float32)
    if aims.regions is None:
        return (share / share.sum())[None], np.ones(1, np.float32)
    return np.eye(len(share), dtype=np.float32), aims.regions[level].shares * share / share.mean()
