from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from workers.contrast.monitor import alignment, collapsed, detection, effective_rank, retrieval, spread, uniformity


def on_sphere(seed: int, count: int, length: int) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((count, length))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def test_alignment_by_hand() -> None:
    first, second = np.array([[1, 0], [0, 1]]), np.array([[0, 1], [0, -1]])
    assert alignment(first, first) == 0
    # (√2² + 2²) / 2
    assert alignment(first, second) == pytest.approx(3)


def test_uniformity_and_spread_against_scipy() -> None:
    z = on_sphere(1, 30, 5)
    distances = pdist(z.astype(np.float64))
    assert uniformity(z) == pytest.approx(np.log(np.mean(np.exp(-2 * distances**2))), rel=1e-5)
    assert spread(z) == pytest.approx(np.mean(distances**2), rel=1e-5)
    assert uniformity(np.repeat(z[:1], 4, 0)) == pytest.approx(0, abs=1e-6)


def test_effective_rank_counts_directions() -> None:
    assert effective_rank(np.eye(5)) == pytest.approx(5)
    assert effective_rank(np.repeat(on_sphere(2, 1, 5), 9, 0)) == pytest.approx(1, abs=1e-4)
    # Singular values √3 and 1: shares p and 1 − p.
    p = np.sqrt(3) / (np.sqrt(3) + 1)
    assert effective_rank(np.array([[1, 0], [1, 0], [1, 0], [0, 1]])) == pytest.approx(np.exp(-p * np.log(p) - (1 - p) * np.log(1 - p)))


def test_retrieval_by_hand() -> None:
    gallery, contents = np.array([[1.0, 0], [0, 1], [0, 1]]), np.array(["a", "b", "c"])
    queries, wanted = np.array([[0.8, 0.6], [0.6, 0.8], [0, 1], [1, 0]]), np.array(["a", "a", "b", "unknown"])
    # a is found, then missed; b ties with c and is a miss; the unknown does not count.
    assert retrieval(queries, wanted, gallery, contents) == pytest.approx(1 / 3)
    assert retrieval(queries[:1], wanted[:1], gallery[:1], contents[:1]) is None
    assert retrieval(queries[3:], wanted[3:], gallery, contents) is None


def test_detection_is_the_area_of_fishers_discriminant() -> None:
    rng = np.random.default_rng(3)
    label, away_label = np.arange(200) % 2, np.arange(80) % 2
    z = rng.standard_normal((200, 4)) + label[:, None] * [1.0, 0.5, 0, 0]
    away = rng.standard_normal((80, 4)) + away_label[:, None] * [1.0, 0.5, 0, 0]
    expected = roc_auc_score(away_label, LinearDiscriminantAnalysis().fit(z, label).decision_function(away))
    assert 0.7 < expected < 0.9
    assert detection(z, label, away, away_label) == pytest.approx(expected, abs=0.005)
    assert detection(z, label, np.zeros((4, 4)), np.array([0, 1, 0, 1])) == 0.5
    assert detection(z, label, away, np.ones(80)) is None


def test_a_point_a_line_and_a_cloud() -> None:
    point, cloud = np.repeat(on_sphere(4, 1, 8), 6, 0), on_sphere(4, 20, 8)
    line = np.concatenate([point, -point])
    assert collapsed(point, 2)
    assert collapsed(line, 12)
    assert not collapsed(line, 2)
    assert not collapsed(cloud, 20)
