from __future__ import annotations

from typing import get_args

import pytest

from app.core.experiments import ObjectiveName, TrainParams
from workers.contrast.objectives.registry import OBJECTIVES, temperature
from workers.contrast.trainer import LEARNERS


def test_every_objective_of_the_parameters_can_be_trained() -> None:
    assert {*OBJECTIVES, "none"} == {*LEARNERS, "none"} == set(get_args(ObjectiveName))


@pytest.mark.parametrize(("objective", "expected"), [("nt_xent", 0.1), ("moco", 0.07), ("supcon", 0.1), ("byol", 1.0)])
def test_the_usual_temperature_unless_another_is_given(objective: ObjectiveName, expected: float) -> None:
    assert temperature(TrainParams(objective=objective)) == expected
    assert temperature(TrainParams(objective=objective, temperature=0.3)) == 0.3
