from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from skimage.color import rgb2gray
from skimage.metrics import structural_similarity

from bench.edges import edges, luminance, ssim


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    return skimage.data.chelsea()[:160, :200]


def test_structural_similarity_is_that_of_scikit_image(cat: np.ndarray) -> None:
    one = rgb2gray(cat)
    other = np.clip(one + np.random.default_rng(0).normal(0, 0.1, one.shape), 0, 1)
    # Wang's own setting; covariances of a population, as in his code.
    wanted = structural_similarity(one, other, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    assert ssim(one, other) == pytest.approx(wanted, abs=1e-6)


def test_edges_do_not_depend_on_contrast_or_brightness(cat: np.ndarray) -> None:
    dull = (cat // 2 + 60).astype(np.uint8)
    assert ssim(edges(cat), edges(dull)) > 0.95
    assert ssim(edges(cat), edges(cat)) == pytest.approx(1.0)
    assert ssim(edges(cat), edges(cat[::-1])) < 0.6


def test_one_colour_has_no_edges_and_a_step_has_one() -> None:
    flat = np.full((40, 40, 3), 90, np.uint8)
    assert not edges(flat).any()
    step = flat.copy()
    step[:, 20:] = 200
    columns = edges(step).mean(axis=0)
    assert columns[19] == columns[20] == 1.0
    assert columns[:14].max() < 1e-6


def test_luminance_is_that_of_bt_601() -> None:
    assert luminance(np.array([[[255, 0, 0], [255, 255, 255]]], np.uint8))[0] == pytest.approx([0.299, 1.0])
