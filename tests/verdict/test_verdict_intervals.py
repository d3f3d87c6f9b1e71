from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workers.verdict.intervals import Resampler, all_right, none_right, percentile

CONTENT = np.repeat([f"c{number}" for number in range(30)], 20)
STYLE = np.tile([f"s{number}" for number in range(20)], 30)


def weights(resampler: Resampler, rows: np.ndarray) -> np.ndarray:
    return np.concatenate(list(resampler.weights(rows)))


def test_a_weight_is_the_contents_times_the_styles() -> None:
    found = weights(Resampler(CONTENT, STYLE, 50), np.arange(600)).reshape(50, 30, 20)
    # Of rank one: any two contents weigh alike in every style.
    assert np.allclose(found * found[:, :1, :1], found[:, :, :1] * found[:, :1, :], rtol=1e-4)
    assert (found > 0).all()


def test_an_original_weighs_as_its_content() -> None:
    resampler = Resampler(np.array(["a", "a", "b"]), np.array(["", "s", ""]), 10)
    found = weights(resampler, np.arange(3))
    alone = weights(Resampler(np.array(["a"]), np.array([""]), 10), np.array([0]))
    assert np.array_equal(found[:, :1], alone)
    assert not np.allclose(found[:, 0], found[:, 1])


def test_the_same_pictures_weigh_the_same_in_any_table() -> None:
    rows = np.array([3, 77, 401])
    whole = weights(Resampler(CONTENT, STYLE, 40), rows)
    part = weights(Resampler(CONTENT[rows], STYLE[rows], 40), np.arange(3))
    assert np.array_equal(whole, part)


def test_blocks_of_resamples_join_to_all_of_them() -> None:
    resampler = Resampler(np.repeat(CONTENT, 20), np.repeat(STYLE, 20), 300)
    blocks = list(resampler.weights(np.arange(12000)))
    assert len(blocks) > 1
    assert sum(len(block) for block in blocks) == 300


def test_the_spread_is_that_of_both_ways_together() -> None:
    rng = np.random.default_rng(0)
    of_content, of_style = rng.standard_normal(30), rng.standard_normal(20)
    values = (of_content[:, None] + of_style[None, :]).ravel()
    found = weights(Resampler(CONTENT, STYLE, 4000), np.arange(600)).astype(np.float64)
    means = found @ values / found.sum(axis=1)
    # The standard error of a mean over a full grid with independent effects of rows and columns.
    expected = np.sqrt(of_content.var() / 30 + of_style.var() / 20)
    assert means.std() == pytest.approx(expected, rel=0.12)


def test_percentiles() -> None:
    found = percentile(np.r_[np.arange(1001) / 1000, np.nan])
    assert found is not None
    assert (found.low, found.high, found.method) == (0.025, 0.975, "bootstrap")
    assert percentile(np.array([1.0, np.nan, np.nan])) is None


@pytest.mark.parametrize("clusters", [1, 3, 12, 200])
def test_all_or_nothing_right_agrees_with_scipy(clusters: int) -> None:
    expected = stats.binomtest(clusters, clusters).proportion_ci(method="exact")
    found = all_right(clusters)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert found.method == "clopper_pearson"
    expected = stats.binomtest(0, clusters).proportion_ci(method="exact")
    nothing = none_right(clusters)
    assert (nothing.low, nothing.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_independent_clusters_are_the_fewer_of_contents_and_styles() -> None:
    resampler = Resampler(CONTENT, np.where(CONTENT == "c0", "", STYLE), 1)
    assert resampler.clusters(np.arange(600)) == 20
    assert resampler.clusters(np.arange(20, 60)) == 2
    assert resampler.clusters(np.arange(20)) == 1
