from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from app.core.config import Settings
from app.core.features import FeatureSet
from app.core.verdicts import Band
from workers.verdict.detector import Detector
from workers.verdict.explain import evidence, overlap, vector
from workers.verdict.features import Extractor

PARTS = (("conv_2", "mean"), ("mixed", "mean"), ("mixed", "mean_square"), ("mixed_10", "mean"))
SET = FeatureSet(name="some", title="", help="", parts=PARTS)


@pytest.fixture(scope="module")
def extractor(weights_cache: Settings) -> Extractor:
    return Extractor(weights_cache.model_copy(update={"precision": "float32"}))


def random_detector(scale: float = 1.0) -> Detector:
    rng = np.random.default_rng(9)
    weights = (scale * rng.standard_normal(SET.length)).astype(np.float32)
    return Detector(SET, weights, rng.random(SET.length, np.float32), 0.3, Band(low=0.4, threshold=0.5, high=0.6))


@pytest.mark.parametrize("cells", [1, 8, 16, 37])
def test_cells_and_bias_are_the_logit(extractor: Extractor, cells: int) -> None:
    detector = random_detector()
    maps = extractor.maps(data.coffee(), SET.layers)
    logit = float(detector.logits(extractor.describe([data.coffee()], SET))[0])
    assert evidence(detector, maps, cells).sum() + detector.bias == pytest.approx(logit, abs=2e-2)
    exact = float(detector.logits(vector(detector, maps)[None])[0])
    assert evidence(detector, maps, cells).sum() + detector.bias == pytest.approx(exact, abs=1e-4)


def test_positions_are_shared_out_by_hand() -> None:
    np.testing.assert_allclose(overlap(3, 2), [[1, 0], [0.5, 0.5], [0, 1]])
    np.testing.assert_allclose(overlap(2, 4), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])


def test_a_position_counts_where_it_lies() -> None:
    """One channel answers in one corner only: everything but the average's share is there."""
    feature_set = FeatureSet(name="one", title="", help="", parts=(("conv_2", "mean_square"),))
    weights = np.zeros(64, np.float32)
    weights[5] = 2.0
    detector = Detector(feature_set, weights, np.zeros(64, np.float32), 0.0, Band(low=0.4, threshold=0.5, high=0.6))
    map_ = np.zeros((10, 10, 64), np.float32)
    map_[9, 0, 5] = 3.0
    found = evidence(detector, {"conv_2": map_}, 5)
    assert found[4, 0] == pytest.approx(2.0 * 9.0 / 100)
    found[4, 0] = 0
    np.testing.assert_allclose(found, 0, atol=1e-15)


def test_covering_what_speaks_most_changes_the_logit_most(extractor: Extractor) -> None:
    """Occlusion: grey over the cell that adds most takes away more than grey over the one that adds least."""
    feature_set = FeatureSet(name="early", title="", help="", parts=(("conv_2", "mean_square"),))
    picture = data.astronaut()
    rng = np.random.default_rng(4)
    detector = Detector(
        feature_set, rng.random(64).astype(np.float32), np.zeros(64, np.float32), 0.0, Band(low=0.4, threshold=0.5, high=0.6)
    )
    cells = evidence(detector, extractor.maps(picture, ("conv_2",)), 8)
    side = 64

    def without(place: int) -> float:
        covered = picture.copy()
        row, column = divmod(place, 8)
        covered[row * side : (row + 1) * side, column * side : (column + 1) * side] = 128
        return float(detector.logits(extractor.describe([covered], feature_set))[0])

    whole = float(detector.logits(extractor.describe([picture], feature_set))[0])
    hottest, coldest = whole - without(int(cells.argmax())), whole - without(int(cells.argmin()))
    assert hottest > 2 * abs(coldest)
    grey = evidence(detector, extractor.maps(np.full_like(picture, 128), ("conv_2",)), 8)
    assert hottest == pytest.approx(cells.max() - grey[3, 3], rel=0.5)
