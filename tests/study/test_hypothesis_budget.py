from __future__ import annotations

import numpy as np
import pytest

from app.core.hypothesis import HypothesisSpec
from tests.study.grids import described
from workers.contrast.pairs import augmented, labels
from workers.contrast.table import Table
from workers.study import cells
from workers.study.budget import draws, rations
from workers.study.division import divide


@pytest.mark.parametrize(("pictures", "batch_size"), [(6, 4), (10, 4), (20, 4), (314, 64), (330, 128), (330, 2048), (626, 17)])
def test_every_objective_has_the_same_steps_and_vectors(pictures: int, batch_size: int) -> None:
    given = rations(pictures, batch_size)
    table = Table(np.arange(pictures), np.full(pictures, ""), np.zeros(pictures, int), np.arange(pictures) % 2)
    rng = np.random.default_rng(0)
    by_view = list(augmented(table, 3).epoch(rng, given.pairs))
    by_label = [batch for _ in range(2) for batch in labels(table, 3).epoch(rng, given.pairs)]
    plain = list(draws(given, 1, 3, rng))
    assert {len(by_view), len(by_label), len(plain)} == {given.batches}
    for rows in ([batch.rows for batch in by_view], [batch.rows for batch in by_label], plain):
        assert sum(map(len, rows)) == given.vectors == 2 * pictures


def test_draws_take_each_picture_twice_a_round() -> None:
    given = rations(12, 4)
    rows = np.concatenate(list(draws(given, 3, 5, np.random.default_rng(1))))
    assert np.bincount(rows // 5).tolist() == [6] * 12
    assert len(np.unique(rows % 5)) == 5


def test_a_cell_trains_for_its_budget_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts what the contrastive stage and the classifier are really given."""
    spent: list[tuple[int, int]] = []
    train, fit = cells.train, cells.fit

    def counted_train(features, table, params, seed):
        trained = train(features, table, params, seed)
        epoch = len(table) if params.pairs == "augmented" else len(table) // 2
        spent.append((params.epochs * -(-epoch // params.batch_size), params.epochs * 2 * epoch))
        return trained

    def counted_fit(features, klass, classes, steps, planned):
        drawn = list(steps)
        assert len(drawn) == planned
        spent.append((len(drawn), sum(map(len, drawn))))
        return fit(features, klass, classes, drawn, planned)

    monkeypatch.setattr(cells, "train", counted_train)
    monkeypatch.setattr(cells, "fit", counted_fit)
    made = described(10, style_matters=True)
    division = divide(made.klass, made.cluster, 0.3, 0)
    totals = set()
    for row in ("none", "style"):
        for column in ("none", "nt_xent", "supcon"):
            cells.train_cell(made, division, HypothesisSpec(rounds=2, batch_size=8), row, column, 0)
            totals.add(tuple(map(sum, zip(*spent, strict=True))))
            spent.clear()
    assert len(totals) == 1
