"""The waffle: a regular pattern that AdaIN's decoder leaves in flat areas, at the pitch of its grid."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from bench.edges import luminance

# The decoder doubles its features three times, each pixel four times over: patterns of 8 and 4 pixels.
PERIODS = (8, 4)
# Windows hold whole periods, so that with Hann's taper a pattern stays within one bin of its own.
_WINDOW, _STEP = 48, 16
# Standard deviation of the content's luminance in a window, its slope taken out: below it, sky or wall.
_FLAT = 0.03
_FEWEST = 4
# Frequencies compared with: a square ring two and three bins away, where the pattern itself does not reach.
_NEAR, _FAR = 2, 3
# Of a spectrum that sums to 1: rounding, not picture.
_NOTHING = 1e-12


def waffle(result: NDArray[np.uint8], content: NDArray[np.uint8]) -> float | None:
    """Return by how many decibels the grid stands out of its surroundings in the spectrum; 0 means no grid.

    In each window of 48 × 48 pixels where the content is flat, the result's luminance is
    tapered and its power spectrum scaled to the same sum; the spectra are averaged. At each
    frequency of the grid, periods 8 and 4 along rows, columns and both diagonals, the power is
    divided by the geometric mean of that in a ring around it: since log|f| is harmonic, a
    spectrum that falls by any power of frequency gives 1 there. The mean of the ratios, as
    10·log₁₀.

    Args:
        result, content: uint8 RGB (height, width, 3) of the same shape.

    Returns:
        None where fewer than 4 windows of the content are flat.
    """
    painted = luminance(result)
    spectra = [_spectrum(painted[window]) for window in flat_windows(luminance(content))]
    spectra = [power / power.sum() for power in spectra if power.sum() > 0]
    if len(spectra) < _FEWEST:
        return None
    return float(10 * np.log10(np.mean([_prominence(np.mean(spectra, axis=0), at) for at in _grid()])))


def flat_windows(plane: NDArray[np.float64]) -> list[tuple[slice, slice]]:
    """Return the windows of a luminance plane in [0, 1] whose brightness does not vary beyond a slope."""
    rows, columns = (range(0, side - _WINDOW + 1, _STEP) for side in plane.shape)
    windows = ((slice(top, top + _WINDOW), slice(left, left + _WINDOW)) for top, left in product(rows, columns))
    return [window for window in windows if float(_levelled(plane[window]).std()) < _FLAT]


def _spectrum(patch: NDArray[np.float64]) -> NDArray[np.float64]:
    taper = np.hanning(_WINDOW + 1)[:-1]
    return np.abs(np.fft.fft2(_levelled(patch) * np.outer(taper, taper))) ** 2


def _levelled(patch: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``patch`` less the plane that fits it best."""
    axis = np.arange(_WINDOW) - (_WINDOW - 1) / 2
    centred = patch - patch.mean()
    slopes = centred.mean(axis=1) @ axis, centred.mean(axis=0) @ axis
    return centred - (slopes[0] * axis[:, None] + slopes[1] * axis[None, :]) / (axis @ axis)


def _grid() -> list[tuple[int, int]]:
    found = []
    for period in PERIODS:
        bin_ = _WINDOW // period
        found += [(0, bin_), (bin_, 0), (bin_, bin_), (bin_, -bin_)]
    return found


def _prominence(power: NDArray[np.float64], at: tuple[int, int]) -> float:
    reach = range(-_FAR, _FAR + 1)
    ring = [power[at[0] + down, at[1] + across] for down, across in product(reach, reach) if max(abs(down), abs(across)) >= _NEAR]
    return float(power[at] / np.exp(np.mean(np.log(np.maximum(ring, _NOTHING)))))
