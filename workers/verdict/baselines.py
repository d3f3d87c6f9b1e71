"""Simpler ways to the same answer, to be beaten."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.core.experiments import ExperimentSpec
from app.core.features import CHANNELS, FEATURES
from workers.verdict.table import Table

_LEVELS = 8

Describe = Callable[[Table], NDArray[np.floating] | None]


def colour_histogram(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (512,) square roots of the shares of pixels in 8 × 8 × 8 cells of RGB.

    Square roots, so that a straight line between two histograms measures their Hellinger distance.

    Args:
        pixels: uint8 RGB of shape (height, width, 3).
    """
    cells = (pixels >> 5).reshape(-1, 3).astype(np.intp) @ (_LEVELS**2, _LEVELS, 1)
    counts = np.bincount(cells, minlength=_LEVELS**3)
    return np.sqrt(counts / counts.sum()).astype(np.float32)


def pooled(table: Table, spec: ExperimentSpec) -> NDArray[np.float32] | None:
    """Return the (n, 2048) averages of the last layer, from the table's features or beside them; None where they are not."""
    start = 0
    for part in FEATURES[spec.features].parts:
        end = start + CHANNELS[part[0]]
        if part == ("mixed_10", "mean") and table.features.shape[1] == FEATURES[spec.features].length:
            return table.features[:, start:end]
        start = end
    return table.pooled


def untrained_head(length: int, spec: ExperimentSpec, seed: int) -> Callable[[NDArray[np.floating]], NDArray[np.float64]]:
    """Return a projection head as training would find it at its start: (n, length) to (n, output) unit vectors.

    Random weights of variance 2 / inputs, ReLU between; the features are to be standardised.
    """
    rng = np.random.default_rng(seed)
    hidden, output = spec.training.hidden, spec.training.output
    first = rng.standard_normal((length, hidden)) * np.sqrt(2 / length)
    second = rng.standard_normal((hidden, output)) * np.sqrt(2 / hidden)

    def embed(standard: NDArray[np.floating]) -> NDArray[np.float64]:
        found = np.maximum(standard @ first, 0) @ second
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)

    return embed


def file_features(table: Table) -> NDArray[np.float64] | None:
    """Return (n, m) logarithms of what is known of the files, so that ratios such as bytes a pixel are in reach."""
    return None if table.file is None else np.log1p(np.maximum(table.file, 0))


TITLES: dict[str, tuple[str, str]] = {
    "majority": ("Majority", "Every picture is called what most training pictures are."),
    "histogram": ("Colours alone", "Colour histogram and logistic regression."),
    "pooled": ("Raw pooled InceptionV3", "The last layer's 2048 averages as they are, and logistic regression."),
    "untrained": ("Untrained head", "The projection head with random weights, and logistic regression."),
    "file_only": ("Size and format alone", "What is known of the files, and logistic regression: should be at chance."),
}
