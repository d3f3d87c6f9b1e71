from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.experiments import ExperimentSpec, TrainParams
from app.core.features import FEATURES
from tests.verdict.tables import grid
from workers.verdict.baselines import colour_histogram, file_features, pooled, untrained_head


def test_the_histogram_counts_cells_of_colour() -> None:
    pixels = np.array([[[0, 0, 0], [31, 31, 31], [255, 0, 32], [255, 31, 40]]], np.uint8)
    found = colour_histogram(pixels)
    # Level of red × 64 + level of green × 8 + level of blue; half of the pixels each.
    assert {place: float(found[place]) for place in np.flatnonzero(found)} == pytest.approx({0: 0.5**0.5, 7 * 64 + 1: 0.5**0.5})
    assert found.shape == (512,)


@pytest.mark.parametrize("name", ["pooled", "both"])
def test_the_pooled_features_are_found_among_the_others(name: str) -> None:
    length = FEATURES[name].length
    table = replace(grid(contents=2, styles=2), features=np.tile(np.arange(length, dtype=np.float32), (6, 1)))
    found = pooled(table, ExperimentSpec(features=name))
    assert found is not None
    assert found[0].tolist() == list(range(length - 2048, length))


def test_pooled_features_beside_the_table_are_taken_where_it_has_none() -> None:
    table = grid(contents=2, styles=2)
    assert pooled(table, ExperimentSpec(features="midlevel")) is None
    beside = np.ones((6, 2048), np.float32)
    assert pooled(replace(table, pooled=beside), ExperimentSpec(features="midlevel")) is beside


def test_an_untrained_head_gives_unit_vectors_that_follow_the_seed() -> None:
    spec = ExperimentSpec(training=TrainParams(hidden=32, output=8))
    features = np.random.default_rng(0).standard_normal((5, 40))
    found = untrained_head(40, spec, 3)(features)
    assert found.shape == (5, 8)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(5))
    assert np.array_equal(found, untrained_head(40, spec, 3)(features))
    assert not np.allclose(found, untrained_head(40, spec, 4)(features))


def test_what_is_known_of_files_is_taken_as_logarithms() -> None:
    table = replace(grid(contents=2, styles=2), file=np.full((6, 3), np.e - 1))
    assert file_features(table) == pytest.approx(np.ones((6, 3)))
    assert file_features(grid(contents=2, styles=2)) is None
