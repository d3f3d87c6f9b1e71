from __future__ import annotations

import numpy as np
import pytest

from tests.verdict.tables import grid
from workers.verdict.invariance import invariance
from workers.verdict.plane import plane, principal


def at(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[2.0]]


def test_by_hand() -> None:
    # Originals at 0 and 90 degrees; a's stylised picture at 30, b's at 40, which is nearer to a.
    found = invariance(at(0, 90, 30, 40), np.array([0, 0, 1, 1]), np.array(["a", "b", "a", "b"]))
    assert found.retrieval == 0.5
    assert found.chance == 0.5
    expected = np.mean([2 - 2 * np.cos(np.radians(30)), 2 - 2 * np.cos(np.radians(50))])
    assert found.alignment == pytest.approx(expected, abs=1e-6)


def test_a_stylised_picture_without_its_original_does_not_count() -> None:
    found = invariance(at(0, 90, 10, 45), np.array([0, 0, 1, 1]), np.array(["a", "b", "a", "z"]))
    assert (found.retrieval, found.chance) == (1.0, 0.5)


def test_nothing_to_measure_is_none() -> None:
    assert invariance(at(0, 90), np.array([0, 1]), np.array(["a", "b"])).alignment is None
    alone = invariance(at(0, 90), np.array([0, 1]), np.array(["a", "a"]))
    assert (alone.retrieval, alone.alignment) == (None, 2.0)


def test_the_two_main_directions_keep_the_variance_they_say() -> None:
    rng = np.random.default_rng(0)
    embedding = rng.standard_normal((50, 6)) * [5, 3, 1, 1, 1, 1]
    places, explained = principal(embedding)
    values = np.linalg.eigvalsh(np.cov(embedding.T))[::-1]
    assert places.var(axis=0, ddof=1) == pytest.approx(values[:2])
    assert explained == pytest.approx(values[:2].sum() / values.sum(), abs=1e-6)
    assert principal(np.ones((4, 1)))[1] == 0.0


def test_a_map_joins_each_original_with_what_was_painted_from_it() -> None:
    table = grid(contents=4, styles=2)
    rows = np.arange(12)
    found = plane(table, rows, table.features, "features", 0)
    assert found is not None
    assert found.method == "PCA"
    assert [point.picture for point in found.points] == list(range(12))
    assert found.pairs == tuple((3 * content, 3 * content + style) for content in range(4) for style in (1, 2))
    assert plane(table, rows[:2], table.features[:2], "features", 0) is None


def test_a_large_map_shows_whole_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.verdict.plane._SHOWN", 6)
    table = grid(contents=4, styles=2)
    found = plane(table, np.arange(12), table.features, "features", 0)
    assert found is not None
    assert len(found.points) == 6
    assert len(found.pairs) == 4


def test_umap_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    class UMAP:
        def __init__(self, **options: object) -> None:
            asked.update(options)

        def fit_transform(self, embedding: np.ndarray) -> np.ndarray:
            return embedding[:, 3:5]

    module = type("Module", (), {"UMAP": UMAP})
    monkeypatch.setattr("workers.verdict.plane.importlib.import_module", {"umap": module}.__getitem__)
    table = grid(contents=4, styles=2)
    found = plane(table, np.arange(12), table.features, "features", 5)
    assert found is not None
    assert (found.method, found.explained) == ("UMAP", None)
    assert found.points[7].x == pytest.approx(table.features[7, 3], abs=1e-3)
    assert asked == {"n_neighbors": 11, "metric": "cosine", "random_state": 5}
