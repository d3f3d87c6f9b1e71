from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from app.imaging.wear import halved, recoded, wear


def test_the_same_seed_gives_the_same_journey() -> None:
    picture = data.coffee()
    one, again, other = (wear(picture, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert one.shape != other.shape or (one != other).any()


def test_journeys_stay_within_their_limits() -> None:
    picture = np.ascontiguousarray(data.chelsea()[:150, :400])
    shapes = {wear(picture, np.random.default_rng(seed)).shape for seed in range(60)}
    heights = {shape[0] for shape in shapes}
    assert min(heights) >= 64 and max(heights) <= 240 and len(heights) > 10
    assert all(abs(width / height - 400 / 150) < 0.06 for height, width, _ in shapes)


def test_a_tiny_picture_is_not_made_smaller() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    assert all(wear(picture, np.random.default_rng(seed)).shape[0] >= 40 for seed in range(30))


def test_half_the_size() -> None:
    assert halved(data.coffee()).shape == (200, 300, 3)
    flat = np.full((80, 100, 3), (10, 200, 90), np.uint8)
    np.testing.assert_array_equal(halved(flat), np.full((40, 50, 3), (10, 200, 90), np.uint8))


@pytest.mark.parametrize(("better", "worse"), [(95, 70), (70, 20)])
def test_a_lower_quality_loses_more(better: int, worse: int) -> None:
    picture = data.astronaut()
    losses = [float(np.abs(recoded(picture, quality).astype(int) - picture).mean()) for quality in (better, worse)]
    assert 0 < losses[0] < losses[1]
