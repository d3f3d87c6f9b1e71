from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from workers.contrast.adam import Pace, Trainable, descend, paces
from workers.contrast.network import variables


def test_three_steps_against_numpy() -> None:
    rng = np.random.default_rng(0)
    kernel, bias = rng.standard_normal((3, 2)), rng.standard_normal(2)
    trainable = Trainable.begin(variables([kernel.astype(np.float32), bias.astype(np.float32)]))
    kept = [(np.zeros_like(array), np.zeros_like(array)) for array in (kernel, bias)]
    for number, pace in enumerate(paces(3, 0.1, 0.5), start=1):
        gradients = [rng.standard_normal((3, 2)), rng.standard_normal(2)]
        descend(trainable, [tf.constant(gradient, tf.float32) for gradient in gradients], pace)
        rate = float(pace.rate)
        kernel *= 1 - rate * 0.5
        for array, gradient, (mean, square) in zip((kernel, bias), gradients, kept, strict=True):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            array -= rate * (mean / (1 - 0.9**number)) / (np.sqrt(square / (1 - 0.999**number)) + 1e-8)
    np.testing.assert_allclose(trainable.weights[0], kernel, rtol=1e-4)
    np.testing.assert_allclose(trainable.weights[1], bias, rtol=1e-4)


def test_the_rate_rises_in_a_line_and_falls_as_a_cosine() -> None:
    rates = [float(pace.rate) for pace in paces(20, 0.4, 0.0)]
    assert rates[:3] == pytest.approx([0.2, 0.4, 0.2 * (1 + math.cos(math.pi / 18))])
    assert rates[10] == pytest.approx(0.4 * (1 + math.cos(math.pi * 9 / 18)) / 2)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_one_step_alone_has_the_full_rate() -> None:
    (pace,) = paces(1, 0.4, 0.25)
    assert pace == Pace(*(pytest.approx(number) for number in (0.4, 0.1, 0.9, 0.999)))
