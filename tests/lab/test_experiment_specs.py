"""An experiment's spec from a preset and changes, nested as JSON has them or flat as a form has them."""

from __future__ import annotations

import pytest

from app.core.errors import ParameterErrors
from app.core.experiments import EXPERIMENT_PRESETS, ExperimentSpec
from app.lab.experiment_specs import resolve


@pytest.mark.parametrize("name", list(EXPERIMENT_PRESETS))
def test_without_changes_it_is_the_preset(name: str) -> None:
    assert resolve(name) == EXPERIMENT_PRESETS[name].spec


def test_changes_may_be_nested_or_flat() -> None:
    nested = resolve("paper", {"seeds": 2, "training": {"epochs": 7}})
    assert nested == resolve("paper", {"seeds": "2", "training.epochs": "7"})
    assert (nested.training.epochs, nested.training.pairs, nested.seeds) == (7, "paper_pairs", 2)
    assert isinstance(nested, ExperimentSpec)


def test_everything_that_is_wrong_is_told_at_once_and_at_its_field() -> None:
    with pytest.raises(ParameterErrors) as found:
        resolve("none", {"seeds": 0, "training": {"temperature": -1, "nothing": 2}, "odd": 1})
    assert {error.field for error in found.value.errors} == {"preset", "seeds", "training.temperature", "training.nothing", "odd"}
    assert "Temperature: input should be greater than 0. Received: -1." in [error.message for error in found.value.errors]


def test_a_spec_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ParameterErrors, match="without a contrastive stage there is no embedding"):
        resolve("default", {"training": {"objective": "none"}, "classify": "both"})
    with pytest.raises(ParameterErrors, match="Received: 5"):
        resolve("default", {"training": 5})
