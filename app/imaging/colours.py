"""Colour statistics: mean and covariance of one picture given to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

# Variance below which a picture has no colour in some direction to be stretched: a standard deviation of 0.8 of 255.
_LEAST = 1e-5


@dataclass(frozen=True)
class Statistics:
    """Mean (3,) and covariance (3, 3) of colours in [0, 1], float64."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def statistics(pixels: Pixels, weights: NDArray[np.float32] | None = None) -> Statistics:
    """Return the statistics of colours; the covariance is divided by their number, or by the sum of their weights.

    Args:
        pixels: uint8 RGB (height, width, 3).
        weights: float32 (height, width), at least 0 and not all 0: how much each counts. None: all alike.
    """
    colours = pixels.reshape(-1, 3)
    shares = np.broadcast_to(np.float32(1), (len(colours), 1)) if weights is None else weights.reshape(-1, 1)
    count = shares.sum(dtype=np.float64)
    mean = np.zeros(3)
    total = np.zeros((3, 3))
    # In float32 rows, summed in float64 by parts: a picture of 4096 pixels in float64 would be 400 MB.
    parts = [slice(start, start + (1 << 18)) for start in range(0, len(colours), 1 << 18)]
    for rows in parts:
        mean += (colours[rows] * shares[rows]).sum(axis=0, dtype=np.float64) / count
    for rows in parts:
        part = (colours[rows] - mean).astype(np.float32)
        total += part.T @ (part * shares[rows])
    return Statistics(mean / 255, total / count / 255**2)


def mixture(parts: Sequence[Statistics], weights: Sequence[float]) -> Statistics:
    """Return the statistics of pictures mixed by weight: the second moments are averaged, not the covariances."""
    shares = np.asarray(weights, np.float64) / np.sum(weights)
    mean = sum((share * part.mean for share, part in zip(shares, parts, strict=True)), np.zeros(3))
    moments = (share * (part.covariance + np.outer(part.mean, part.mean)) for share, part in zip(shares, parts, strict=True))
    return Statistics(mean, sum(moments, np.zeros((3, 3))) - np.outer(mean, mean))


def matched(pixels: Pixels, target: Statistics, own: Statistics | None = None) -> NDArray[np.float32]:
    """Return the picture with the colours' mean and covariance of ``target``.

    A(x − μ) + μ' with A = Σ'^½ Σ^−½ and symmetric square roots: Gatys, Ecker, Bethge, Hertzmann
    and Shechtman, "Controlling Perceptual Factors in Neural Style Transfer", CVPR 2017, section
    5.2. Where the picture has next to no colour in some direction, none is made up.

    Args:
        pixels: uint8 RGB (height, width, 3).
        own: statistics that are to become ``target``; None: those of all of ``pixels``.

    Returns:
        float32 (height, width, 3) in [0, 1]; what falls outside is clipped, which moves the statistics a little.
    """
    own = own or statistics(pixels)
    linear = _power(target.covariance, 0.5) @ _power(own.covariance, -0.5)
    offset = target.mean - linear @ own.mean
    done = pixels.astype(np.float32) @ (linear.T / 255).astype(np.float32) + offset.astype(np.float32)
    clipped: NDArray[np.float32] = np.clip(done, 0.0, 1.0, out=done)
    return clipped


def _power(covariance: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, _LEAST if exponent < 0 else 0.0)
    power: NDArray[np.float64] = (vectors * values**exponent) @ vectors.T
    return power
