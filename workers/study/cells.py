"""One cell of the grid with one seed: train, then say of every picture which class it is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.experiments import TrainParams, TrainStep
from app.core.hypothesis import AugmentationName, ContrastName, HypothesisSpec
from workers.contrast.heads import Head
from workers.contrast.table import Table
from workers.contrast.trainer import train
from workers.study.budget import Rations, draws, rations
from workers.study.division import Division
from workers.study.softmax import fit

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Away:
    """Another domain's pictures: (m, d) features, (m,) classes and clusters."""

    features: Array
    klass: NDArray[np.intp]
    cluster: NDArray[np.intp]


@dataclass(frozen=True)
class Described:
    """Features and classes of a study's pictures.

    Attributes:
        home: (n, d), of the training domain's pictures as they are.
        klass: (n,) 0 to classes − 1.
        cluster: (n,) nearly equal pictures share one.
        copies: of each augmentation but none, (n, copies, d).
        unseen: (n, d), each picture in a style that is never trained with.
        style: (n,) which one.
        away: by domain.
    """

    home: Array
    klass: NDArray[np.intp]
    cluster: NDArray[np.intp]
    copies: dict[AugmentationName, Array]
    unseen: Array
    style: NDArray[np.str_]
    away: dict[str, Away]

    def views(self, augmentation: AugmentationName, rows: NDArray[np.intp]) -> Array:
        """Return (len(rows), copies + 1, d), the picture as it is first.

        Without augmentation every view is the picture as it is: as many vectors, nothing new in them.
        """
        clean = self.home[rows][:, None]
        if augmentation == "none":
            return np.repeat(clean, 1 + next(iter(self.copies.values())).shape[1], axis=1)
        return np.concatenate([clean, self.copies[augmentation][rows]], axis=1)


@dataclass(frozen=True)
class Answered:
    """What a trained cell answers.

    Attributes:
        clean, unseen: (n,) whether each picture of the training domain's test part is given its class; order of ``Division.test``.
        away: by domain, (m,) the same.
        training: accuracy on the clean pictures fitted to.
        effective_rank, collapsed: of the embeddings after the contrastive stage; None and False without one.
    """

    clean: NDArray[np.bool_]
    unseen: NDArray[np.bool_]
    away: dict[str, NDArray[np.bool_]]
    training: float
    effective_rank: float | None
    collapsed: bool


def train_cell(
    described: Described, division: Division, spec: HypothesisSpec, augmentation: AugmentationName, contrast: ContrastName, seed: int
) -> Answered:
    """Train one cell on its share of the budget, which is the same for all, and test it."""
    given = rations(len(division.fit), spec.batch_size)
    views, klass = described.views(augmentation, division.fit), described.klass[division.fit]
    head, last = _head(views, klass, spec, given, contrast, seed)
    rounds = spec.rounds // 2 if head else spec.rounds

    def seen(features: Array) -> Array:
        if head is None:
            return features
        embedding = head.embed(features)
        if spec.classify == "embedding":
            return embedding
        # Both parts weigh about the same after standardising: each feature counts as much as each of the embedding's numbers.
        return np.concatenate([features, embedding], axis=1)

    # The same draws in each cell, and none of them decided by what was drawn before.
    steps = draws(given, rounds, views.shape[1], np.random.default_rng([seed, 5]))
    flat = seen(views.reshape(-1, views.shape[-1]))
    classes = int(described.klass.max()) + 1
    classifier = fit(flat, np.repeat(klass, views.shape[1]), classes, steps, rounds * given.batches)
    classifier = classifier.chosen(seen(described.home[division.validate]), described.klass[division.validate])

    def right(features: Array, truth: NDArray[np.intp]) -> NDArray[np.bool_]:
        return classifier.classify(seen(features)) == truth

    tested = division.test
    return Answered(
        clean=right(described.home[tested], described.klass[tested]),
        unseen=right(described.unseen[tested], described.klass[tested]),
        away={name: right(one.features, one.klass) for name, one in described.away.items()},
        training=float(right(described.home[division.fit], klass).mean()),
        effective_rank=last.effective_rank if last else None,
        collapsed=bool(last and last.collapsed),
    )


def _head(
    views: Array, klass: NDArray[np.intp], spec: HypothesisSpec, given: Rations, contrast: ContrastName, seed: int
) -> tuple[Head | None, TrainStep | None]:
    """Return the projection head of the contrastive stage and its last step; nothing without one."""
    if contrast == "none":
        return None, None
    rounds = spec.rounds // 2
    # By label an epoch takes each picture once, by views twice: see ``Rations``.
    params = TrainParams(
        objective=contrast,
        pairs="labels" if contrast == "supcon" else "augmented",
        epochs=2 * rounds if contrast == "supcon" else rounds,
        batch_size=given.pairs,
    )
    names = np.arange(len(klass)).astype(str)
    table = Table(content=names, style=np.full(len(klass), ""), label=np.zeros(len(klass), np.int64), klass=klass)
    trained = train(views, table, params, seed)
    return trained.head, trained.history[-1]
