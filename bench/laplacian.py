"""A picture as a sum of layers, coarse to fine, so that one step can move large areas (experiment)."""

from __future__ import annotations

import numpy as np

from workers.style.optimiser import Evaluate, Evaluation, Vector
from workers.style.resample import Picture, lanczos


class Laplacian:
    """The linear map from layers, each half the one before, to the picture that they add up to (Burt and Adelson, 1983)."""

    def __init__(self, height: int, width: int, layers: int) -> None:
        self._shapes = [(height >> layer, width >> layer) for layer in range(layers)]
        self._ends = np.cumsum([3 * rows * columns for rows, columns in self._shapes])

    def split(self, picture: Picture) -> Vector:
        """Return the layers, finest first, as one float32 vector; their sum is ``picture``, float32 (height, width, 3)."""
        layers = []
        for shape, smaller in zip(self._shapes, [*self._shapes[1:], None], strict=True):
            rest = picture
            if smaller is not None:
                picture = _mapped(picture, lanczos(shape[0], smaller[0]), lanczos(shape[1], smaller[1]))
                rest = rest - _mapped(picture, lanczos(smaller[0], shape[0]), lanczos(smaller[1], shape[1]))
            layers.append(rest.ravel())
        return np.concatenate(layers)

    def compose(self, x: Vector) -> Picture:
        """Return the picture of a vector of layers."""
        *finer, picture = self._layers(x)
        for layer in reversed(finer):
            rows, columns = (lanczos(small, large) for small, large in zip(picture.shape[:2], layer.shape[:2], strict=True))
            picture = layer + _mapped(picture, rows, columns)
        return picture

    def pull(self, gradient: Picture) -> Vector:
        """Return the gradient with respect to the layers, of one with respect to the picture: the transpose of ``compose``."""
        found = [gradient.ravel()]
        for shape, smaller in zip(self._shapes, self._shapes[1:], strict=False):
            gradient = _mapped(gradient, lanczos(smaller[0], shape[0]).T, lanczos(smaller[1], shape[1]).T)
            found.append(gradient.ravel())
        return np.concatenate(found)

    def through(self, evaluate: Evaluate[None]) -> Evaluate[None]:
        """Return the objective of layers: the picture is clipped to [0, 1], and no gradient pushes it further out."""

        def of_layers(x: Vector) -> Evaluation[None]:
            picture = self.compose(x)
            inside = np.clip(picture, 0.0, 1.0)
            there = evaluate(inside.ravel())
            gradient = there.gradient.reshape(picture.shape)
            outwards = ((picture < 0) & (gradient > 0)) | ((picture > 1) & (gradient < 0))
            return Evaluation(there.loss, self.pull(np.where(outwards, np.float32(0), gradient)), None)

        return of_layers

    def _layers(self, x: Vector) -> list[Picture]:
        parts = np.split(x, self._ends[:-1])
        return [part.reshape(*shape, 3) for part, shape in zip(parts, self._shapes, strict=True)]


def _mapped(picture: Picture, rows: np.ndarray, columns: np.ndarray) -> Picture:
    return np.einsum("ph,hwc,qw->pqc", rows, picture, columns, optimize=True).astype(np.float32)
