from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from app.core.errors import EngineError, InputError
from app.core.experiments import ObjectiveName, PairsName, TrainParams, TrainStep
from app.core.progress import StopRequested
from tests.contrast.conftest import SmallSet
from workers.contrast import bootstrap, momentum, network, siamese, trainer
from workers.contrast.bootstrap import Bootstrap
from workers.contrast.monitor import alignment, spread
from workers.contrast.table import Table
from workers.contrast.trainer import Trained, train

SMALL = TrainParams(hidden=64, output=16, epochs=40, batch_size=16, learning_rate=0.003, momentum=0.9, queue=64)
OBJECTIVES: list[tuple[ObjectiveName, PairsName]] = [
    ("pairwise", "content_stylised"),
    ("nt_xent", "content_stylised"),
    ("moco", "content_stylised"),
    ("byol", "content_stylised"),
    ("supcon", "content_stylised"),
]


def params(objective: ObjectiveName = "nt_xent", pairs: PairsName = "content_stylised", **changes: object) -> TrainParams:
    return TrainParams.model_validate({**SMALL.model_dump(), "objective": objective, "pairs": pairs, **changes})


def relative(trained: Trained, features: np.ndarray, table: Table) -> tuple[float, float]:
    """Return the alignment of originals and stylised versions, and the spread of all, by hand from the embeddings."""
    z = trained.embed(features)
    original = {content: z[row] for row, content in enumerate(table.content) if table.label[row] == 0}
    stylised = table.label == 1
    return alignment(z[stylised], np.stack([original[content] for content in table.content[stylised]])), spread(z)


@pytest.mark.parametrize(("objective", "pairs"), OBJECTIVES)
def test_every_objective_brings_held_out_pairs_together(small_set: SmallSet, objective: ObjectiveName, pairs: PairsName) -> None:
    features, table, held_out = small_set
    untrained = train(features, table, params("none"), 1)
    trained = train(features, table, params(objective, pairs), 1, held_out=held_out)
    before, before_spread = relative(untrained, *held_out)
    after, after_spread = relative(trained, *held_out)
    print(objective, before, before_spread, after, after_spread, trained.history[-1])
