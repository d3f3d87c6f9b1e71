"""The whole grid on features where the answer is known."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from app.core.hypothesis import AUGMENTATIONS, CONTRASTS, HypothesisSpec
from tests.study.grids import described
from workers.study.cells import train_cell
from workers.study.conclusion import conclude
from workers.study.division import divide
from workers.study.grid import Grid, grid
from workers.study.hypothesis import CELLS

SPEC = HypothesisSpec(rounds=16, batch_size=4)


@lru_cache(maxsize=2)
def trained(style_matters: bool) -> Grid:
    """Two seeds where something is to be found, one where nothing is."""
    made = described(20, style_matters=style_matters)
    divisions = [divide(made.klass, made.cluster, 0.3, seed) for seed in range(1 + style_matters)]
    answers = [{place: train_cell(made, one, SPEC, *place, seed) for place in CELLS} for seed, one in enumerate(divisions)]
    return grid(made, divisions, answers, "photo", 300)


def difference(found: Grid, row: str, column: str, trial: str) -> tuple[float, str]:
    [cell] = [cell for cell in found.cells if (cell.augmentation, cell.contrast) == (row, column)]
    [result] = [one for one in cell.results if one.trial == trial]
    return result.difference.value or 0.0, result.outcome


def test_every_cell_is_measured_on_every_trial() -> None:
    found = trained(True)
    assert {(cell.augmentation, cell.contrast) for cell in found.cells} == {(row, column) for row in AUGMENTATIONS for column in CONTRASTS}
    assert [trial.kind for trial in found.trials] == ["clean", "stylised", "domain"]
    assert {len(cell.results) for cell in found.cells} == {3}


def test_style_transfer_is_seen_to_help_where_it_does() -> None:
    found = trained(True)
    gained, outcome = difference(found, "style", "none", "stylised")
    assert gained > 0.2 and outcome == "better"
    assert difference(found, "jitter", "none", "stylised") == (0.0, "unclear")
    [effect] = [
        one for one in found.effects if (one.side, one.changed, one.against, one.trial) == ("augmentation", "style", "jitter", "stylised")
    ]
    assert effect.outcome == "better"
    sentences = conclude(found.cells, found.effects, found.trials)
    assert len(sentences) == 3 and "style transfer is better on unseen styles" in sentences[2]
    [cell] = [cell for cell in found.cells if (cell.augmentation, cell.contrast) == ("style", "none")]
    assert [one.differing or 0 for one in cell.results if one.trial == "stylised"] >= [6] and effect.differing is not None


def test_nothing_is_claimed_where_nothing_differs() -> None:
    """Copies that are the pictures themselves: rows differ by which copy was drawn, and so not at all."""
    found = trained(False)
    rows = [one for one in found.effects if one.side == "augmentation"]
    assert {one.difference.value for one in rows} == {0.0}
    assert {one.outcome for one in rows} == {"unclear"}
    assert {one.differing for one in rows} == {0}
    words = conclude(found.cells, found.effects, found.trials)[2]
    assert "style transfer" in words[words.rindex(";") if ";" in words else 0 :] and words.endswith("cannot be told from no effect.")


def test_effects_are_means_of_their_cells() -> None:
    found = trained(True)
    values = {
        (cell.augmentation, cell.contrast): next(one.accuracy.value or 0.0 for one in cell.results if one.trial == "stylised")
        for cell in found.cells
    }
    effects = {(one.side, one.changed, one.against): one.difference.value for one in found.effects if one.trial == "stylised"}
    rows = np.mean([values["style", column] - values["none", column] for column in CONTRASTS])
    columns = np.mean([values[row, "supcon"] - values[row, "nt_xent"] for row in AUGMENTATIONS])
    assert effects["augmentation", "style", "none"] == pytest.approx(rows, abs=2e-6)
    assert effects["contrast", "supcon", "nt_xent"] == pytest.approx(columns, abs=2e-6)
    assert effects["contrast_with_style", "supcon", "none"] == pytest.approx(values["style", "supcon"] - values["style", "none"], abs=2e-6)
