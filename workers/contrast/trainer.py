"""Training a projection head on cached features, with a record of each epoch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.errors import EngineError, InputError
from app.core.experiments import ObjectiveName, OnTrainStep, PairsName, TrainParams, TrainStep
from app.core.progress import StopRequested
from workers.contrast.adam import Pace, paces
from workers.contrast.bootstrap import Bootstrap
from workers.contrast.heads import Array, Head, perceptron, standardisation, whitening
from workers.contrast.momentum import MomentumContrast
from workers.contrast.pairs import PAIRS, Batch
from workers.contrast.siamese import Siamese
from workers.contrast.table import Table
from workers.contrast.watcher import Looked, Part, Watcher


class Learner(Looked, Protocol):
    """A head in training, made from its first weights, the parameters, the steps planned and a random generator."""

    def step(self, features: tf.Tensor, batch: Batch, pace: Pace) -> float: ...


LEARNERS: dict[ObjectiveName, Callable[[list[Array], TrainParams, int, np.random.Generator], Learner]] = {
    "pairwise": Siamese,
    "nt_xent": Siamese,
    "supcon": Siamese,
    "moco": MomentumContrast,
    "byol": Bootstrap,
}


@dataclass(frozen=True)
class Trained:
    """A head, and how it came to be.

    Attributes:
        head: standardisation and weights; plain arrays.
        history: one record an epoch; fewer than planned if it was stopped.
        params, seed: as given.
    """

    head: Head
    history: list[TrainStep]
    params: TrainParams
    seed: int

    def embed(self, features: NDArray[np.floating]) -> Array:
        """Return float32 (n, output) unit vectors of raw features (n, d)."""
        return self.head.embed(features)


def train(
    features: NDArray[np.floating],
    table: Table,
    params: TrainParams,
    seed: int,
    *,
    held_out: tuple[NDArray[np.floating], Table] | None = None,
    on_step: OnTrainStep | None = None,
) -> Trained:
    """Return a projection head trained on ``features``; same arguments on the same machine, same weights.

    Features are standardised and whitened by what the training part shows; both stay with the head.

    Args:
        features: (n, d), or (n, K, d) of K views of each picture, the first being the
            picture as it is.
        table: what the n pictures are.
        params: see ``TrainParams``. With objective ``none`` the head is returned untrained,
            without history: the baseline that shows what training adds.
        seed: of weights, pairs and batches.
        held_out: features and table of pictures that are watched and never trained on;
            should share no content with ``table``.
        on_step: told of every epoch. May raise StopRequested: the head is returned as it
            stands. Any other exception passes through.

    Raises:
        InputError: features that are not finite or do not fit the table, or a table without
            the pairs asked for.
        EngineError: numbers that are not finite.
    """
    began = time.monotonic()
    flat, views = _checked(features, table)
    mean, scale = standardisation(flat)
    weights_rng, pairs_rng, watch_rng = np.random.default_rng(seed).spawn(3)
    standard = (flat - mean) * scale
    whitened = whitening(standard)

    def head(weights: Iterable[Array]) -> Head:
        kernel, *others = weights
        return Head(mean, scale, whitened @ kernel, *others)

    weights = perceptron(whitened.shape[1], params.hidden, params.output, weights_rng)
    if params.objective == "none":
        return Trained(head(weights), [], params, seed)
    pairs = PAIRS[params.pairs](table, views)
    training = Part(tf.constant(standard @ whitened), table, views, pairs)
    away = _held_out(held_out, flat.shape[1], params.pairs, lambda features: ((features - mean) * scale) @ whitened)
    watcher = Watcher(training, away, params.batch_size, watch_rng)
    steps = params.epochs * pairs.batches(params.batch_size)
    learner = LEARNERS[params.objective](weights, params, steps, weights_rng)
    pace = paces(steps, params.learning_rate, params.weight_decay)
    history: list[TrainStep] = []
    try:
        for epoch in range(1, params.epochs + 1):
            batches = pairs.epoch(pairs_rng, params.batch_size)
            loss = float(np.mean([learner.step(training.features, batch, next(pace)) for batch in batches]))
            if not np.isfinite(loss):
                raise EngineError(
                    "The training ran into numbers that are not finite. Lower the learning rate, or raise the temperature."
                    f" Received: a loss of {loss} in epoch {epoch}."
                )
            look = watcher.look(learner)
            history.append(TrainStep(epoch=epoch, epochs=params.epochs, loss=loss, elapsed=time.monotonic() - began, **asdict(look)))
            if on_step:
                on_step(history[-1])
    except StopRequested:
        pass
    return Trained(head(weight.numpy() for weight in learner.weights), history, params, seed)


def _checked(features: NDArray[np.floating], table: Table) -> tuple[Array, int]:
    """Return the features as float32 (n·K, d), and K."""
    if features.ndim not in (2, 3) or len(features) != len(table) or not features.size:
        raise InputError(
            f"Features need one row, or one row a view, for each of the table's {len(table)} pictures."
            f" Received: an array of shape {features.shape}."
        )
    if not (is_finite := np.isfinite(features).reshape(len(features), -1).all(axis=1)).all():
        raise InputError(
            f"Features must be finite numbers. Received: {_strange(features[np.argmin(is_finite)])} in row {np.argmin(is_finite)}."
        )
    return features.reshape(-1, features.shape[-1]).astype(np.float32), 1 if features.ndim == 2 else features.shape[1]


def _strange(row: NDArray[np.floating]) -> float:
    return float(row[~np.isfinite(row)][0])


def _held_out(
    given: tuple[NDArray[np.floating], Table] | None, length: int, name: PairsName, prepare: Callable[[Array], Array]
) -> Part | None:
    if given is None:
        return None
    features, table = given
    flat, views = _checked(features, table)
    if flat.shape[1] != length:
        raise InputError(f"Held-out pictures need {length} features each, as the others have. Received: {flat.shape[1]}.")
    try:
        pairs = PAIRS[name](table, views)
    except InputError:
        # Too few pictures for pairs: what needs no pairs is still told.
        pairs = None
    return Part(tf.constant(prepare(flat)), table, views, pairs)
