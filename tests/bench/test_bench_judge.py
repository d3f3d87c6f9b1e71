from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from app.core.config import Settings
from bench.judge import Judge
from bench.perceptual import difference
from workers.nets import weights
from workers.nets.vgg19 import VGG19


@pytest.fixture(scope="module")
def judge(weights_cache: Settings) -> Judge:
    return Judge(VGG19(weights.load("vgg19", weights_cache)))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    coarse = np.random.default_rng(4).integers(0, 256, (8, 12, 3), np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), np.uint8))


def test_a_picture_that_is_its_own_content_and_style_loses_next_to_nothing(judge: Judge, picture: np.ndarray) -> None:
    found = judge.measures(picture, picture, picture)
    assert found.loss < 0.01
    assert found.edges == pytest.approx(1.0)
    assert found.distance == pytest.approx(0.0, abs=1e-6)


def test_noise_is_worse_than_the_photograph_by_every_measure(judge: Judge, picture: np.ndarray) -> None:
    flipped = picture[::-1].copy()
    noise = np.random.default_rng(5).integers(0, 256, picture.shape, np.uint8)
    same, other = (judge.measures(result, picture, flipped) for result in (picture, noise))
    assert other.loss > same.loss > 0
    assert other.content > 0.1 > same.content
    assert other.edges < 0.5 < same.edges
    assert other.distance > 0.1


def test_features_are_compared_by_direction() -> None:
    one = np.random.default_rng(0).random((1, 3, 4, 5), np.float32)
    other = np.random.default_rng(1).random((1, 3, 4, 5), np.float32)
    wanted = [
        2 - 2 * float(u @ v) / float(np.linalg.norm(u) * np.linalg.norm(v))
        for u, v in zip(one.reshape(-1, 5).astype(float), other.reshape(-1, 5).astype(float), strict=True)
    ]
    assert float(difference(tf.constant(one), tf.constant(other))) == pytest.approx(np.mean(wanted), rel=1e-4)
    assert float(difference(tf.constant(one), tf.constant(7 * one))) == pytest.approx(0, abs=1e-6)
