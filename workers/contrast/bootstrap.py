"""Bootstrap your own latent: a predictor of what a slower head says, and no negatives."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from app.core.experiments import TrainParams
from workers.contrast.adam import Pace, Trainable, descend
from workers.contrast.heads import perceptron
from workers.contrast.momentum import follow
from workers.contrast.network import Weights, forward, variables
from workers.contrast.objectives.byol import byol
from workers.contrast.pairs import Batch


def momentum_at(step: int, steps: int, start: float) -> float:
    """Return 1 − (1 − start)·(cos(πk/K) + 1)/2: from ``start`` at k = 0 to 1 at k = K (Grill et al., 2020, section 3.2)."""
    return 1 - (1 - start) * (math.cos(math.pi * step / steps) + 1) / 2


class Bootstrap:
    """A head and its predictor, trained to tell what a slower copy of the head says of the other view."""

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        params: TrainParams,
        steps: int,
        rng: np.random.Generator,
        *,
        predictor: bool = True,
        stop_gradient: bool = True,
    ) -> None:
        """Begin with ``weights``.

        Args:
            steps: planned in all, for the target's schedule.
            rng: for the predictor, output → hidden → output.
            predictor, stop_gradient: false leaves out what keeps the method from collapse, to
                study it. Without the stop the two sides are one network and there is no target.
        """
        extra = perceptron(params.output, params.hidden, params.output, rng) if predictor else []
        # It adds to its input and begins by adding nothing. A departure: a free predictor learns to
        # turn an original's embedding into a stylised one and back, and never brings the two together.
        if predictor:
            extra[2] = np.zeros_like(extra[2])
        self._trainable = Trainable.begin(variables([*weights, *extra]))
        self._target = variables(weights)
        self._stop = stop_gradient
        self._start, self._done, self._steps = params.momentum, 0, steps

    @property
    def weights(self) -> Weights:
        """The online head's, without the predictor."""
        return self._trainable.weights[:4]

    def step(self, features: tf.Tensor, batch: Batch, pace: Pace) -> float:
        """Move one step, let the target follow, and return the loss before it."""
        momentum = tf.constant(momentum_at(self._done, self._steps, self._start), tf.float32)
        self._done += 1
        return float(_step(self._stop, self._trainable, self._target, features, batch.rows, momentum, pace))

    def loss(self, features: tf.Tensor, batch: Batch) -> float:
        return float(_loss(self._stop, self._trainable.weights, self._target, features, batch.rows))


@tf.function(reduce_retracing=True)
def _loss(stop: bool, online: Weights, target: Weights, features: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    x = tf.gather(features, rows)
    z = forward(online[:4], x)
    p = z + forward(online[4:], z) if len(online) > 4 else z
    first, second = tf.split(p, 2)
    told_first, told_second = tf.split(forward(target, x) if stop else z, 2)
    return byol(first, told_second, stop_gradient=stop) + byol(second, told_first, stop_gradient=stop)


@tf.function(reduce_retracing=True)
def _step(
    stop: bool, trainable: Trainable, target: Weights, features: tf.Tensor, rows: tf.Tensor, momentum: tf.Tensor, pace: Pace
) -> tf.Tensor:
    with tf.GradientTape() as tape:
        loss = _loss(stop, trainable.weights, target, features, rows)
    descend(trainable, tape.gradient(loss, trainable.weights), pace)
    follow(target, trainable.weights[:4], momentum)
    return loss
