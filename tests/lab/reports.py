"""Reports of small made-up experiments."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from app.core.experiments import ExperimentSpec, OnTrainStep, TrainStep
from app.core.report import Report
from tests.verdict.tables import grid
from workers.verdict.evaluate import evaluate
from workers.verdict.learner import Embed
from workers.verdict.table import Table

SPEC = ExperimentSpec(seeds=2, resamples=100, permutations=20)


@lru_cache
def report(*, signal: float = 3.0, contents: int = 10, seed: int = 0) -> Report:
    """Return an experiment with a contrastive stage of four told epochs that learns nothing."""

    def learn(train: Table, watched: Table, seed: int, on_step: OnTrainStep) -> Embed:
        for epoch in range(1, 5):
            on_step(TrainStep(epoch, 4, 1 / epoch, 0.5 / epoch, -epoch / 2, 3.0 + epoch, 0.5 + epoch / 10, None, 0.6, epoch == 4, 0.1, 0.9))
        return lambda features: np.tanh(features)

    table = grid(contents=contents, styles=6, signal=signal)
    return evaluate(table, SPEC.model_copy(update={"seed": seed}), learn, lambda step: None)
