from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from app.core.experiments import EXPERIMENT_PRESETS, PAIRS_OF, ObjectiveName, PairsName, TrainParams


def test_every_objective_takes_pairs_and_the_default_pairs_suit_all() -> None:
    assert set(PAIRS_OF) == set(get_args(ObjectiveName))
    assert {pairs for taken in PAIRS_OF.values() for pairs in taken} == set(get_args(PairsName))
    for objective in PAIRS_OF:
        assert TrainParams(objective=objective).pairs == "content_stylised"


@pytest.mark.parametrize(
    ("objective", "pairs"), [("nt_xent", "paper_pairs"), ("nt_xent", "labels"), ("byol", "labels"), ("supcon", "paper_pairs")]
)
def test_an_objective_and_pairs_that_cannot_go_together_are_refused_with_what_can(objective: ObjectiveName, pairs: PairsName) -> None:
    with pytest.raises(ValidationError, match=f"the objective {objective} takes one of: .*content_stylised.*input_value='{pairs}'"):
        TrainParams(objective=objective, pairs=pairs)


def test_presets_hold() -> None:
    assert EXPERIMENT_PRESETS["paper"].spec.training.pairs == "paper_pairs"
    assert EXPERIMENT_PRESETS["detector"].spec.training.objective == "supcon"
