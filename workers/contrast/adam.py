"""Adam with warm-up, cosine decay and decoupled weight decay."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from workers.contrast.network import variables

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
# Share of the steps in which the rate rises to its height.
WARM_UP = 0.1


class Trainable(NamedTuple):
    """Weights, and Adam's two running means of each."""

    weights: Sequence[Any]
    means: Sequence[Any]
    squares: Sequence[Any]

    @classmethod
    def begin(cls, weights: Sequence[tf.Variable]) -> Trainable:
        return cls(weights, *(variables(tf.zeros_like(weight) for weight in weights) for _ in range(2)))


class Pace(NamedTuple):
    """One step's numbers: its rate, the share of a kernel that decays, β₁ᵗ and β₂ᵗ."""

    rate: Any
    decay: Any
    power1: Any
    power2: Any


def paces(steps: int, rate: float, weight_decay: float) -> Iterator[Pace]:
    """Yield each step's numbers: a linear rise to ``rate``, then half a cosine down to 0.

    Loshchilov and Hutter, "SGDR", 2017, equation 5, without restarts.
    """
    rising = max(1, round(WARM_UP * steps))
    for step in range(steps):
        after = max(0, step + 1 - rising) / max(1, steps - rising)
        now = rate * min(1.0, (step + 1) / rising) * (1 + math.cos(math.pi * after)) / 2
        yield Pace(*(np.float32(number) for number in (now, now * weight_decay, BETA1 ** (step + 1), BETA2 ** (step + 1))))


def descend(trainable: Trainable, gradients: Sequence[tf.Tensor], pace: Pace) -> None:
    """Move the weights one step of Adam (Kingma and Ba, 2015, algorithm 1), inside a graph.

    The decay is taken from the weights themselves and not from the gradient (Loshchilov
    and Hutter, "Decoupled Weight Decay Regularization", 2019), and from kernels alone.
    """
    for weight, mean, square, gradient in zip(*trainable, gradients, strict=True):
        if len(gradient.shape) == 2:
            weight.assign_sub(pace.decay * weight)
        # The fused operation touches each array once: twice as fast as writing the formula out.
        tf.raw_ops.ResourceApplyAdam(
            var=weight.handle,
            m=mean.handle,
            v=square.handle,
            beta1_power=pace.power1,
            beta2_power=pace.power2,
            lr=pace.rate,
            beta1=BETA1,
            beta2=BETA2,
            epsilon=EPSILON,
            grad=gradient,
        )
