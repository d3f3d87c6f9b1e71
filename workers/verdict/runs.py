"""One fold: learn, classify, score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.core.experiments import ExperimentSpec, OnTrainStep, SplitName, TrainStep
from workers.verdict.classifier import Linear, fit
from workers.verdict.learner import Embed, Learner
from workers.verdict.parts import Scored
from workers.verdict.splits import Fold
from workers.verdict.table import Table

_HISTORY = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """A run to be made."""

    split: SplitName
    seed: int
    fold: Fold


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A run that was made, with what later steps need of it.

    Attributes:
        embedding: (test pictures, k) of the contrastive stage, or the standardised features without one.
        history: steps of the contrastive stage.
    """

    plan: Plan
    classifier: Linear
    train: Scored
    test: Scored
    embedding: NDArray[np.floating]
    learned: Embed | None
    history: list[TrainStep] = field(default_factory=list)


def make(
    table: Table, spec: ExperimentSpec, plan: Plan, learn: Learner | None, on_step: OnTrainStep, classifying: Callable[[], None]
) -> Made:
    """Learn from the training part of a fold, classify, and score both parts.

    Args:
        table: all pictures.
        spec: what the classifier sees, and which one it is.
        plan: split, seed and fold.
        learn: the contrastive stage, or None.
        on_step: told of its steps; may raise StopRequested, which the learner turns into an early end.
        classifying: called when learning is over.
    """
    fold, history = plan.fold, []

    def kept(step: TrainStep) -> None:
        history.append(step)
        on_step(step)

    learned = learn(table.take(fold.train), table.take(fold.test), plan.seed, kept) if learn else None
    classifying()
    seen = inputs(spec, learned)
    classifier = fit(seen(table.features[fold.train]), table.label[fold.train], table.content[fold.train], spec.classifier, plan.seed)
    train, test = (score(classifier, seen, table, rows) for rows in (fold.train, fold.test))
    return Made(plan, classifier, train, test, _embedding(table, fold, learned), learned, thinned(history))


def inputs(spec: ExperimentSpec, learned: Embed | None) -> Embed:
    """Return what turns features into the classifier's input."""
    if learned is None or spec.classify == "features":
        return lambda features: features
    if spec.classify == "embedding":
        return learned
    return lambda features: np.concatenate([features, learned(features)], axis=1)


def score(classifier: Linear, seen: Embed, table: Table, rows: NDArray[np.intp]) -> Scored:
    probability = classifier.probability(seen(table.features[rows]))
    return Scored(rows, probability, probability >= classifier.threshold)


def standardised(table: Table, fold: Fold) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the features of both parts with the training part's mean 0 and deviation 1."""
    train = table.features[fold.train]
    mean, scale = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-6)
    return (train - mean) / scale, (table.features[fold.test] - mean) / scale


def _embedding(table: Table, fold: Fold, learned: Embed | None) -> NDArray[np.floating]:
    return learned(table.features[fold.test]) if learned else standardised(table, fold)[1]


def thinned(history: list[TrainStep]) -> list[TrainStep]:
    """Return about two hundred steps evenly spread, the last among them."""
    every = -(-len(history) // _HISTORY) or 1
    return history[::-1][::every][::-1]
