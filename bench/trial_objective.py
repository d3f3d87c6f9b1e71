"""The engine's objective with what the experiments change: layers, crops, style as Gaussians."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.specs import STYLE_LAYERS
from bench.plain import at
from bench.wasserstein import moments, root_of, wasserstein2
from workers.nets.vgg19 import VGG19
from workers.style.losses import content_loss, gram_matrix, style_loss
from workers.style.optimiser import Evaluation, Vector
from workers.style.resample import Picture, lanczos, resize

CONTENT = "relu4_2"
LEVELS = 3
# Crops begin and end where the features of every level do.
_GRID = 32
_LONGER, _SHORTER = 96, 32


def levels(height: int, width: int) -> int:
    """Return at how many sizes the objective looks at a canvas, as the engine has it."""
    found = 1
    while found < LEVELS and max(height, width) >> found >= _LONGER and min(height, width) >> found >= _SHORTER:
        found += 1
    return found


def cropped(height: int, width: int, share: float) -> tuple[int, int]:
    """Return the sides of a crop that takes ``share`` of each side, in whole steps of 32 pixels."""
    if share == 1.0:
        return height, width
    rows, columns = (min(side, max(2 * _GRID, round(side * share / _GRID) * _GRID)) for side in (height, width))
    return rows, columns


class TrialObjective:
    """Mean over the levels of content and style loss of a canvas, strength 1."""

    def __init__(
        self,
        vgg: VGG19,
        dtype: tf.DType,
        content: Picture,
        style: NDArray[np.uint8],
        longer: int,
        start: Picture,
        *,
        layers: Sequence[str] = STYLE_LAYERS,
        gaussian: bool = False,
        share: float = 1.0,
        rng: np.random.Generator,
    ) -> None:
        """Prepare the targets.

        Args:
            content: the canvas's, float32 (height, width, 3).
            style: the painting, uint8, of any size.
            longer: longer side that the painting is brought to at the finest level.
            start: the canvas to begin at: there the distance of Gaussians, if it is used, is brought to the style loss.
            layers: of the style.
            gaussian: compare means and covariances by Wasserstein-2 instead of Gram matrices.
            share: of each side that an evaluation looks at, at a place that ``rng`` chooses.
        """
        self._vgg, self._dtype, self._layers, self._gaussian, self._rng = vgg, dtype, layers, gaussian, rng
        self._shape = content.shape
        self._crop = cropped(*content.shape[:2], share)
        self._levels = levels(*self._crop)
        self._contents, self._styles = [], []
        for level in range(self._levels):
            canvas = resize(content, content.shape[0] >> level, content.shape[1] >> level)
            self._contents.append(self._vgg.features(tf.constant(canvas[None]), [CONTENT], dtype=dtype)[CONTENT])
            found = self._vgg.features(tf.constant(at(style, longer >> level)[None]), layers, dtype=dtype)
            self._styles.append(found)
        self._grams = [[gram_matrix(found[layer]) for layer in layers] for found in self._styles]
        self._gaussians = [[moments(found[layer]) for layer in layers] for found in self._styles] if gaussian else []
        self._roots = [[root_of(covariance) for _, covariance in level] for level in self._gaussians]
        del self._styles
        self._balance = 1.0
        self._graph = tf.function(self._loss_and_gradient)
        if gaussian:
            terms = tf.function(self._styles_of)(tf.constant(start[None])).numpy()
            self._balance = float(terms[0] / max(terms[1], 1e-12))

    def evaluate(self, x: Vector) -> Evaluation[None]:
        """Return loss and gradient at ``x``; of a crop, the gradient is zero outside it."""
        (rows, columns), picture = self._crop, x.reshape(self._shape)
        top, left = (
            int(self._rng.integers((whole - part) // _GRID + 1)) * _GRID for whole, part in zip(self._shape, self._crop, strict=False)
        )
        contents = []
        for level, content in enumerate(self._contents):
            down, across = ((start >> level) // 8 for start in (top, left))
            contents.append(content[:, down : down + (rows >> level) // 8, across : across + (columns >> level) // 8])
        loss, found = self._graph(tf.constant(picture[None, top : top + rows, left : left + columns]), contents)
        gradient = np.zeros(self._shape, np.float32)
        gradient[top : top + rows, left : left + columns] = found.numpy()[0]
        return Evaluation(float(loss), gradient.ravel(), None)

    def _loss_and_gradient(self, image: tf.Tensor, contents: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = 0.0
            for number, found in enumerate(self._found(image, {*self._layers, CONTENT})):
                style = self._distance(number, found) * self._balance if self._gaussian else self._gram_loss(number, found)
                loss += content_loss(found[CONTENT], contents[number]) + style
            loss /= self._levels
        return loss, tape.gradient(loss, image)

    def _styles_of(self, image: tf.Tensor) -> tf.Tensor:
        found = list(enumerate(self._found(image, self._layers)))
        return tf.stack([tf.add_n([way(*one) for one in found]) for way in (self._gram_loss, self._distance)])

    def _found(self, image: tf.Tensor, layers: Sequence[str] | set[str]) -> list[dict[str, tf.Tensor]]:
        found = []
        for number in range(self._levels):
            if number:
                rows, columns = (tf.constant(lanczos(side, side // 2)) for side in image.shape[1:3])
                image = tf.einsum("ph,bhwc,qw->bpqc", rows, image, columns, optimize="optimal")
            found.append(self._vgg.features(image, layers, dtype=self._dtype))
        return found

    def _gram_loss(self, number: int, found: dict[str, tf.Tensor]) -> tf.Tensor:
        return style_loss([gram_matrix(found[layer]) for layer in self._layers], self._grams[number], tf.ones(len(self._layers)))

    def _distance(self, number: int, found: dict[str, tf.Tensor]) -> tf.Tensor:
        targets = zip(self._layers, self._gaussians[number], self._roots[number], strict=True)
        return tf.add_n([wasserstein2(*moments(found[layer]), target, root) for layer, target, root in targets])
