"""How much of the content's drawing is left: structural similarity of two pictures' edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Of Wang et al., 2004: the window, and the constants for a range of 1.
_SIGMA, _RADIUS = 1.5, 5
_C1, _C2 = 0.01**2, 0.03**2
# Edges are taken of the picture without its finest grain, and measured against the strongest hundredth of them.
_BLUR = 1.0
_STRONG = 99.0

Plane = NDArray[np.float64]


def luminance(pixels: NDArray[np.uint8]) -> Plane:
    """Return Y of ITU-R BT.601 in [0, 1], (height, width), of uint8 RGB."""
    return pixels @ np.array([0.299, 0.587, 0.114]) / 255


def edges(pixels: NDArray[np.uint8]) -> Plane:
    """Return the edge map in [0, 1], (height, width), of uint8 RGB.

    Sobel's gradient magnitude of the luminance, blurred by a Gaussian of 1 pixel, divided by
    its own 99th percentile: what counts is where edges are, not how hard.
    """
    smooth = ndimage.gaussian_filter(luminance(pixels), _BLUR)
    strength = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1))
    strong = float(np.percentile(strength, _STRONG))
    # A picture of one colour has rounding errors for edges.
    return np.clip(strength / strong, 0.0, 1.0) if strong > 1e-6 else np.zeros_like(strength)


def ssim(one: Plane, other: Plane) -> float:
    """Return the mean structural similarity of two planes in [0, 1] of the same shape, −1 to 1.

    Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment", 2004, equation 13, with
    their Gaussian window of 11 × 11 pixels and σ 1.5; the border of 5 pixels is left out.
    """
    mean_one, mean_other = _mean(one), _mean(other)
    variance_one, variance_other = _mean(one * one) - mean_one**2, _mean(other * other) - mean_other**2
    covariance = _mean(one * other) - mean_one * mean_other
    similarity = (2 * mean_one * mean_other + _C1) * (2 * covariance + _C2)
    similarity /= (mean_one**2 + mean_other**2 + _C1) * (variance_one + variance_other + _C2)
    return float(similarity[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS].mean())


def _mean(plane: Plane) -> Plane:
    return ndimage.gaussian_filter(plane, _SIGMA, radius=_RADIUS)
