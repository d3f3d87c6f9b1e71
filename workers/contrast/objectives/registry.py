"""The five objectives by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from app.core.experiments import ObjectiveName, TrainParams
from workers.contrast.objectives.byol import byol
from workers.contrast.objectives.moco import moco
from workers.contrast.objectives.nt_xent import nt_xent
from workers.contrast.objectives.pairwise import pairwise
from workers.contrast.objectives.supcon import supcon


@dataclass(frozen=True)
class Objective:
    """A loss, the temperature its authors or common use give it (None: it has none), and its source."""

    loss: Callable[..., tf.Tensor]
    temperature: float | None
    source: str


OBJECTIVES: dict[ObjectiveName, Objective] = {
    "pairwise": Objective(pairwise, None, "Hadsell, Chopra and LeCun, 2006"),
    "nt_xent": Objective(nt_xent, 0.1, "SimCLR: Chen et al., 2020"),
    "moco": Objective(moco, 0.07, "MoCo: He et al., 2020"),
    "byol": Objective(byol, None, "BYOL: Grill et al., 2020"),
    "supcon": Objective(supcon, 0.1, "Khosla et al., 2020"),
}


def temperature(params: TrainParams) -> float:
    """Return the temperature asked for, or the objective's own; 1 where there is none."""
    return params.temperature or OBJECTIVES[params.objective].temperature or 1.0
