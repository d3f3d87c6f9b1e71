"""Momentum contrast: a key encoder that follows slowly, and a queue of its keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from app.core.experiments import TrainParams
from workers.contrast.adam import Pace, Trainable, descend
from workers.contrast.network import Weights, embed, variables
from workers.contrast.objectives.moco import moco
from workers.contrast.objectives.registry import temperature
from workers.contrast.pairs import Batch


def follow(slow: Weights, fast: Weights, momentum: float | tf.Tensor) -> None:
    """Set each of ``slow`` to m·slow + (1 − m)·fast (He et al., 2020, equation 2)."""
    for mine, other in zip(slow, fast, strict=True):
        mine.assign(momentum * mine + (1 - momentum) * other)


class Queue:
    """The newest keys and their groups, oldest first.

    Departure: it begins empty and not with random vectors, which are no pictures' keys; the
    first step only fills it. Groups come along, so that an older key of the query's own
    content is never its negative.
    """

    def __init__(self, size: int, output: int) -> None:
        self.size = size
        self.keys = tf.zeros([0, output])
        self.groups = tf.zeros([0], tf.int32)

    def push(self, keys: tf.Tensor, groups: tf.Tensor) -> None:
        """Append keys (N, output) and groups (N,), letting the oldest beyond ``size`` go."""
        self.keys = tf.concat([self.keys, keys], 0)[-self.size :]
        self.groups = tf.concat([self.groups, tf.constant(groups)], 0)[-self.size :]


class MomentumContrast:
    """A query head trained against keys of a head that follows it."""

    def __init__(self, weights: Sequence[np.ndarray], params: TrainParams, steps: int, rng: np.random.Generator) -> None:
        self._trainable = Trainable.begin(variables(weights))
        self._slow = variables(weights)
        self._heat, self._momentum = tf.constant(temperature(params)), tf.constant(params.momentum)
        self.queue = Queue(params.queue, params.output)

    @property
    def weights(self) -> Weights:
        return self._trainable.weights

    def step(self, features: tf.Tensor, batch: Batch, pace: Pace) -> float:
        """Move one step, let the key encoder follow, queue the keys; return the loss before it."""
        queued = self.queue.keys, self.queue.groups
        loss, keys = _step(self._trainable, self._slow, features, batch, *queued, self._heat, self._momentum, pace)
        self.queue.push(keys, np.split(batch.groups, 2)[1])
        return float(loss)

    def loss(self, features: tf.Tensor, batch: Batch) -> float:
        """Return the loss of pairs that are not trained on, against the queue as it stands.

        Its contents are other contents than theirs, so that every key is a negative.
        """
        strangers = batch._replace(groups=np.full_like(batch.groups, -1))
        return float(_loss(self.weights, self._slow, features, strangers, self.queue.keys, self.queue.groups, self._heat)[0])


@tf.function(reduce_retracing=True)
def _loss(
    weights: Weights, slow: Weights, features: tf.Tensor, batch: Batch, keys: tf.Tensor, groups: tf.Tensor, heat: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    queries, new = tf.split(tf.gather(features, batch.rows), 2)
    new = embed(slow, new)
    blocked = tf.split(batch.groups, 2)[0][:, None] == groups[None, :]
    return moco(embed(weights, queries), new, keys, heat, blocked), new


@tf.function(reduce_retracing=True)
def _step(
    trainable: Trainable,
    slow: Weights,
    features: tf.Tensor,
    batch: Batch,
    keys: tf.Tensor,
    groups: tf.Tensor,
    heat: tf.Tensor,
    momentum: Any,
    pace: Pace,
) -> tuple[tf.Tensor, tf.Tensor]:
    with tf.GradientTape() as tape:
        loss, new = _loss(trainable.weights, slow, features, batch, keys, groups, heat)
    descend(trainable, tape.gradient(loss, trainable.weights), pace)
    follow(slow, trainable.weights, momentum)
    return loss, new
