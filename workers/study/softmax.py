"""A linear classifier of several classes, trained for a given number of steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
# Pulls towards zero that are tried beside each other.
DECAYS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
_RATE = 0.1
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Softmax:
    """One classifier for each weight decay tried, all fitted to the same steps.

    Attributes:
        mean, scale: (d,); a feature x becomes (x − mean) · scale.
        weights, bias: (d, decays, classes), (decays, classes).
        best: place of the decay chosen.
    """

    mean: Array
    scale: Array
    weights: Array
    bias: Array
    best: int = 0

    def logits(self, features: Array) -> Array:
        """Return the (n, decays, classes) logits of (n, d) features."""
        standard = (features - self.mean) * self.scale
        return (standard @ self.weights.reshape(len(self.weights), -1)).reshape(len(features), *self.bias.shape) + self.bias

    def classify(self, features: Array) -> NDArray[np.intp]:
        """Return (n,) the most likely class of each row, by the classifier chosen."""
        return np.argmax(self.logits(features)[:, self.best], axis=1)

    def chosen(self, features: Array, klass: NDArray[np.intp]) -> Softmax:
        """Return the same with the decay whose log loss on these pictures is least, each class weighing the same."""
        losses = np.average(_losses(self.logits(features), klass), axis=0, weights=balanced(klass, self.bias.shape[1]))
        return Softmax(self.mean, self.scale, self.weights, self.bias, int(np.argmin(losses)))


def fit(
    features: Array,
    klass: NDArray[np.intp],
    classes: int,
    steps: Iterable[NDArray[np.intp]],
    planned: int,
    decays: tuple[float, ...] = DECAYS,
) -> Softmax:
    """Return classifiers trained by Adam on the rows that each step names; they begin at zero.

    Loss: mean weighted cross-entropy + decay/2 · |weights|², each class weighing the same. The rate
    falls to zero along half a cosine.

    Args:
        features: float32 (n, d); means and deviations are taken from all of them.
        klass: (n,) 0 to classes − 1.
        steps: rows of each step.
        planned: how many steps there are.
    """
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = features.std(axis=0, dtype=np.float64)
    # √d: rows get a length of about one, whatever their number of features.
    scale = np.where(deviation > 1e-6, 1 / np.maximum(deviation * np.sqrt(features.shape[1]), 1e-12), 0).astype(np.float32)
    standard = (features - mean) * scale
    weight = balanced(klass, classes)
    state = [np.zeros((features.shape[1] + 1, len(decays), classes), np.float32) for _ in range(3)]
    for step, rows in enumerate(steps):
        gradient = _gradient(state[0], standard[rows], klass[rows], weight[rows], np.array(decays, np.float32))
        rate = _RATE * (1 + np.cos(np.pi * step / planned)) / 2
        _adam(state, gradient, step + 1, rate)
    return Softmax(mean, scale, state[0][:-1], state[0][-1])


def balanced(klass: NDArray[np.intp], classes: int) -> Array:
    """Return (n,) weights of mean 1 with which each class present weighs the same."""
    counts = np.bincount(klass, minlength=classes)
    return (len(klass) / (np.count_nonzero(counts) * counts[klass])).astype(np.float32)


def _losses(logits: Array, klass: NDArray[np.intp]) -> Array:
    """Return the (n, decays) cross-entropies."""
    highest = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - highest).sum(axis=-1)) + highest[..., 0]
    return total - np.take_along_axis(logits, klass[:, None, None], axis=-1)[..., 0]


def _gradient(weights: Array, rows: Array, klass: NDArray[np.intp], weight: Array, decays: Array) -> Array:
    """Return the gradient of the loss at ``weights``, (d + 1, decays, classes); the last row is the bias and does not decay."""
    kernel, bias = weights[:-1], weights[-1]
    logits = (rows @ kernel.reshape(len(kernel), -1)).reshape(len(rows), *bias.shape) + bias
    share = np.exp(logits - logits.max(axis=-1, keepdims=True))
    share /= share.sum(axis=-1, keepdims=True)
    share[np.arange(len(rows)), :, klass] -= 1
    share *= (weight / len(rows))[:, None, None]
    slope = (rows.T @ share.reshape(len(rows), -1)).reshape(kernel.shape) + decays[:, None] * kernel
    return np.concatenate([slope, share.sum(axis=0)[None]])


def _adam(state: list[Array], gradient: Array, step: int, rate: float) -> None:
    """Move weights one step in place (Kingma and Ba, 2015, algorithm 1); ``state`` is weights, first and second moments."""
    weights, mean, square = state
    mean += (1 - _BETA1) * (gradient - mean)
    square += (1 - _BETA2) * (gradient * gradient - square)
    weights -= np.float32(rate) * (mean / (1 - _BETA1**step)) / (np.sqrt(square / (1 - _BETA2**step)) + _EPSILON)
