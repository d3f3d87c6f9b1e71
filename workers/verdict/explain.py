"""Where in a picture the logit comes from: exact, since the score is linear in sums over positions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.core.features import CHANNELS
from workers.verdict.detector import Detector

# Rows and columns of the map that is shown.
CELLS = 16


def evidence(detector: Detector, maps: Mapping[str, NDArray[np.float32]], cells: int = CELLS) -> NDArray[np.float64]:
    """Return what each part of the picture adds to the logit; with ``detector.bias`` it sums to the logit.

    Each position of a layer adds Σ over channels of weight · (activation or its square − average) / positions.
    The positions of layers of different sizes are shared out among the cells that they overlap.

    Args:
        detector: whose weights.
        maps: activations of one picture, layer name to (h, w, channels), of every layer of the feature set.
        cells: rows and columns wanted.

    Returns:
        float64 (cells, cells), from the top left corner.
    """
    total = np.zeros((cells, cells))
    for layer, (mean, square, constant) in _weights(detector).items():
        x = maps[layer].astype(np.float64)
        height, width = x.shape[:2]
        here = (x @ mean + np.square(x) @ square - constant) / (height * width)
        total += overlap(height, cells).T @ here @ overlap(width, cells)
    return total


@lru_cache(maxsize=64)
def overlap(positions: int, cells: int) -> NDArray[np.float64]:
    """Return (positions, cells): the share of each of ``positions`` equal intervals of a line that lies in each cell. Rows sum to 1."""
    starts, edges = np.arange(positions) / positions, np.arange(cells) / cells
    low = np.maximum(starts[:, None], edges)
    high = np.minimum(starts[:, None] + 1 / positions, edges + 1 / cells)
    shares = np.maximum(high - low, 0.0)
    shares /= shares.sum(axis=1, keepdims=True)
    shares.flags.writeable = False
    return shares


def vector(detector: Detector, maps: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return the features (d,) of the picture that ``maps`` are of."""
    found = []
    for layer, statistic in detector.feature_set.parts:
        x = maps[layer].astype(np.float64)
        found.append((x if statistic == "mean" else np.square(x)).mean((0, 1)))
    return np.concatenate(found)


def _weights(detector: Detector) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64], float]]:
    """Return for each layer the weights of activations and of their squares, and what the average picture gives."""
    found: dict[str, tuple[NDArray[np.float64], NDArray[np.float64], float]] = {}
    at = 0
    for layer, statistic in detector.feature_set.parts:
        weights, centre = (array[at : at + CHANNELS[layer]].astype(np.float64) for array in (detector.weights, detector.centre))
        at += CHANNELS[layer]
        mean, square, constant = found.get(layer, (np.zeros_like(weights), np.zeros_like(weights), 0.0))
        if statistic == "mean":
            mean = mean + weights
        else:
            square = square + weights
        found[layer] = mean, square, constant + float(weights @ centre)
    return found
