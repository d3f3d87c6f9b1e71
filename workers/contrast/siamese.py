"""Learners whose two sides are one network: pairwise, NT-Xent and SupCon."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from app.core.experiments import TrainParams
from workers.contrast.adam import Pace, Trainable, descend
from workers.contrast.network import Weights, embed, variables
from workers.contrast.objectives.nt_xent import nt_xent
from workers.contrast.objectives.pairwise import pairwise
from workers.contrast.objectives.registry import temperature
from workers.contrast.objectives.supcon import supcon
from workers.contrast.pairs import Batch


class Siamese:
    """A head trained with the gradient of both sides of each pair."""

    def __init__(self, weights: Sequence[np.ndarray], params: TrainParams, steps: int, rng: np.random.Generator) -> None:
        """Begin with ``weights``; the other arguments are those of every learner."""
        self._trainable = Trainable.begin(variables(weights))
        self._objective = params.objective
        self._heat, self._margin = tf.constant(temperature(params)), tf.constant(params.margin)

    @property
    def weights(self) -> Weights:
        return self._trainable.weights

    def step(self, features: tf.Tensor, batch: Batch, pace: Pace) -> float:
        """Move one step and return the loss before it."""
        return float(_step(self._objective, self._trainable, features, batch, self._heat, self._margin, pace))

    def loss(self, features: tf.Tensor, batch: Batch) -> float:
        return float(_loss(self._objective, self.weights, features, batch, self._heat, self._margin))


def _of_pairs(z: tf.Tensor, batch: Batch, _: tf.Tensor, margin: tf.Tensor) -> tf.Tensor:
    # Rows are chosen by a product with ones and zeros: the gradient of a gather adds in no
    # fixed order on a GPU, and the same seed must give the same weights.
    left, right = (tf.matmul(tf.one_hot(side, tf.shape(z)[0]), z) for side in (batch.left, batch.right))
    return pairwise(left, right, batch.positive, margin)


def _of_views(z: tf.Tensor, batch: Batch, heat: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
    first, second = tf.split(z, 2)
    return nt_xent(first, second, heat, tf.split(batch.groups, 2)[0])


def _of_labels(z: tf.Tensor, batch: Batch, heat: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
    return supcon(z, batch.groups, heat)


_LOSSES: dict[str, Callable[[tf.Tensor, Batch, tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "pairwise": _of_pairs,
    "nt_xent": _of_views,
    "supcon": _of_labels,
}


@tf.function(reduce_retracing=True)
def _loss(objective: str, weights: Weights, features: tf.Tensor, batch: Batch, heat: tf.Tensor, margin: tf.Tensor) -> tf.Tensor:
    return _LOSSES[objective](embed(weights, tf.gather(features, batch.rows)), batch, heat, margin)


@tf.function(reduce_retracing=True)
def _step(
    objective: str, trainable: Trainable, features: tf.Tensor, batch: Batch, heat: tf.Tensor, margin: tf.Tensor, pace: Pace
) -> tf.Tensor:
    with tf.GradientTape() as tape:
        loss = _LOSSES[objective](embed(trainable.weights, tf.gather(features, batch.rows)), batch, heat, margin)
    descend(trainable, tape.gradient(loss, trainable.weights), pace)
    return loss
