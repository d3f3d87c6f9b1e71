"""The contrastive stage as the evaluation wants it: learns from a training part, then embeds any picture."""

from __future__ import annotations

from app.core.experiments import OnTrainStep, TrainParams
from workers.contrast.table import Table as Pictures
from workers.contrast.trainer import train
from workers.verdict.learner import Embed, Learner
from workers.verdict.table import Table


def learner(params: TrainParams) -> Learner | None:
    """Return what trains a projection head with ``params``; None where there is no contrastive stage."""
    if params.objective == "none":
        return None

    def learn(training: Table, held_out: Table, seed: int, on_step: OnTrainStep) -> Embed:
        features, watched = (table.views if params.pairs == "augmented" else table.features for table in (training, held_out))
        return train(features, _pictures(training), params, seed, held_out=(watched, _pictures(held_out)), on_step=on_step).embed

    return learn


def _pictures(table: Table) -> Pictures:
    # Without classes, so that pairs by label are pairs of originals and pairs of stylised pictures.
    return Pictures(table.content, table.style, table.label)
