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
# Share of the training contents that a head does not see.
_BACK = 0.2
_DRAWS = 100


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
    table: Table,
    spec: ExperimentSpec,
    plan: Plan,
    learn: Learner | None,
    on_step: OnTrainStep,
    classifying: Callable[[], None],
    on_solved: Callable[[], None],
) -> Made:
    """Learn from the training part of a fold, classify, and score both parts.

    Args:
        table: all pictures.
        spec: what the classifier sees, and which one it is.
        plan: split, seed and fold.
        learn: the contrastive stage, or None.
        on_step: told of its steps; may raise StopRequested, which the learner turns into an early end.
        classifying: called when learning is over.
        on_solved: see ``classifier.fit``.
    """
    fold, history = plan.fold, []

    def kept(step: TrainStep) -> None:
        history.append(step)
        on_step(step)

    training = table.take(fold.train)
    # Where the training pictures are the test, as in the paper, nothing is to be calibrated for others.
    plain = plan.split == "train_is_test"
    back = _kept_back(training, plan.seed) if learn and spec.classify != "features" and not plain else None
    shown = fold.train if back is None else fold.train[~back]
    learned = learn(table.take(shown), table.take(fold.test), plan.seed, kept) if learn else None
    classifying()
    seen = inputs(spec, learned)
    given = seen(training.features)
    classifier = fit(given, training.label, training.content, spec.classifier, plan.seed, kept=back, plain=plain, on_solved=on_solved)
    train, test = (score(classifier, seen, table, rows) for rows in (fold.train, fold.test))
    return Made(plan, classifier, train, test, _embedding(table, fold, learned), learned, thinned(history))


def _kept_back(training: Table, seed: int) -> NDArray[np.bool_]:
    """Return which training pictures the head must not see, so that its classifier can be calibrated on them.

    A fifth of the contents, so that both parts have both classes; none where the contents are too few.
    """
    names = np.unique(training.content)
    count = max(round(len(names) * _BACK), 1)
    rng = np.random.default_rng([seed, 3])
    for _ in range(_DRAWS if len(names) - count >= 2 else 0):
        back = np.isin(training.content, rng.permutation(names)[:count])
        if all(len(np.unique(training.label[part])) == 2 for part in (back, ~back)):
            return back
    return np.zeros(len(training), bool)


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
