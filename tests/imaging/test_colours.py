"""Colour statistics against NumPy's covariance and SciPy's matrix square root."""

from __future__ import annotations

import numpy as np
from scipy.linalg import sqrtm
from skimage import data

from app.imaging.colours import Statistics, matched, mixture, statistics

PAINTING, PHOTOGRAPH = data.coffee()[::2, ::2], data.chelsea()[::2, ::2]


def numpy_statistics(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    colours = pixels.reshape(-1, 3).astype(np.float64) / (255 if pixels.dtype == np.uint8 else 1)
    return colours.mean(axis=0), np.cov(colours.T, bias=True)


def test_statistics() -> None:
    found, (mean, covariance) = statistics(PAINTING), numpy_statistics(PAINTING)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4)


def test_statistics_of_what_counts() -> None:
    weights = np.random.default_rng(1).random(PAINTING.shape[:2]).astype(np.float32)
    weights[:, :50] = 0.0
    found = statistics(PAINTING, weights)
    colours = PAINTING.reshape(-1, 3) / 255
    np.testing.assert_allclose(found.mean, np.average(colours, axis=0, weights=weights.ravel()), rtol=1e-5)
    np.testing.assert_allclose(found.covariance, np.cov(colours.T, bias=True, aweights=weights.ravel()), rtol=1e-4)


def test_a_mixture_is_that_of_the_pictures_laid_together() -> None:
    one, two = PAINTING[:100, :100], PHOTOGRAPH[:100, :100]
    found = mixture([statistics(one), statistics(two)], [1, 3])
    mean, covariance = numpy_statistics(np.concatenate([one, two, two, two]))
    np.testing.assert_allclose(found.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-6)


def test_matched_is_the_symmetric_map_of_the_papers() -> None:
    # A target well inside the range, so that nothing is clipped.
    target = Statistics(np.array([0.5, 0.45, 0.55]), statistics(PAINTING).covariance * 0.05)
    done = matched(PHOTOGRAPH, target)
    mean, covariance = numpy_statistics(done)
    np.testing.assert_allclose(mean, target.mean, atol=1e-4)
    np.testing.assert_allclose(covariance, target.covariance, atol=1e-5)
    own_mean, own = numpy_statistics(PHOTOGRAPH)
    linear = sqrtm(target.covariance).real @ np.linalg.inv(sqrtm(own).real)
    expected = (PHOTOGRAPH / 255 - own_mean) @ linear.T + target.mean
    np.testing.assert_allclose(done, expected, atol=1e-4)


def test_a_picture_of_its_own_statistics_stays() -> None:
    np.testing.assert_allclose(matched(PHOTOGRAPH, statistics(PHOTOGRAPH)), PHOTOGRAPH / 255, atol=1e-3)


def test_one_colour_becomes_the_mean_and_grey_stays_in_line() -> None:
    plain = np.full((20, 20, 3), 90, np.uint8)
    target = statistics(PAINTING)
    np.testing.assert_allclose(matched(plain, target), np.broadcast_to(target.mean, (20, 20, 3)), atol=1e-5)
    grey = np.repeat(PHOTOGRAPH[..., :1], 3, axis=2)
    colours = matched(grey, Statistics(np.full(3, 0.5), target.covariance * 0.05)).reshape(-1, 3)
    assert np.linalg.matrix_rank(colours - colours.mean(axis=0), tol=0.05) == 1
