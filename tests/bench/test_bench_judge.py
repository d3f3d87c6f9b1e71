from __future__ import annotations

import numpy as np
import pytest

from app.core.config import Settings
from bench.judge import Judge
from workers.nets import weights
from workers.nets.vgg19 import VGG19


@pytest.fixture(scope="module")
def judge(weights_cache: Settings) -> Judge:
    return Judge(VGG19(weights.load("vgg19", weights_cache)))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    coarse = np.random.default_rng(4).integers(0, 256, (16, 24, 3), np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), np.uint8))


def test_a_picture_that_is_its_own_content_and_style_loses_next_to_nothing(judge: Judge, picture: np.ndarray) -> None:
    full = np.kron(picture, np.ones((2, 2, 1), np.uint8))[:341, :512]
    assert judge.loss(full, full, full) < 0.01


def test_noise_is_worse_than_the_photograph(judge: Judge, picture: np.ndarray) -> None:
    flipped = picture[::-1].copy()
    noise = np.random.default_rng(5).integers(0, 256, picture.shape, np.uint8)
    assert judge.loss(noise, picture, flipped) > judge.loss(picture, picture, flipped) > 0
