from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from app.core.config import Settings
from workers.nets import weights
from workers.nets.adain_decoder import AdaINDecoder, adain
from workers.nets.vgg19 import VGG19

GOLDEN = Path(__file__).parents[1] / "golden" / "vgg19_adain.npz"


@pytest.fixture(scope="module")
def decoder(weights_cache: Settings) -> AdaINDecoder:
    return AdaINDecoder(weights.load("adain_decoder", weights_cache))


@pytest.mark.parametrize(("dtype", "differing", "worst"), [(tf.float32, 0.001, 1), (tf.bfloat16, 1, 40)])
def test_the_picture_agrees_with_the_independent_implementation(
    dtype: tf.DType, differing: float, worst: int, decoder: AdaINDecoder, weights_cache: Settings
) -> None:
    with np.load(GOLDEN) as golden:
        pictures = [tf.constant(golden[f"{which}_uint8_256"][None] / np.float32(255)) for which in ("content", "style")]
        expected = golden["adain_output_uint8"].astype(int)
    vgg19 = VGG19(weights.load("vgg19", weights_cache))
    content, style = (
        vgg19.features(picture, ["relu4_1"], padding="reflect", pooling="max", dtype=dtype)["relu4_1"] for picture in pictures
    )
    painted = decoder.decode(adain(content, style), dtype=dtype)
    assert painted.dtype == tf.float32
    error = np.abs(np.clip(np.round(painted.numpy()[0] * 255), 0, 255).astype(int) - expected)
    assert (error > 0).mean() <= differing
    assert error.max() <= worst
    assert error.mean() < 1.5


def test_each_side_grows_eightfold(decoder: AdaINDecoder) -> None:
    assert decoder.decode(tf.ones((2, 3, 5, 512))).shape == (2, 24, 40, 3)


def test_takes_the_styles_moments() -> None:
    dice = np.random.default_rng(7)
    content = dice.normal(3, 2, (1, 9, 8, 4)).astype(np.float32)
    style = dice.normal(-1, 5, (1, 6, 11, 4)).astype(np.float32)
    found = adain(tf.constant(content), tf.constant(style), eps=0).numpy().astype(np.float64)

    def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = x.astype(np.float64)
        return x.mean((1, 2), keepdims=True), x.std((1, 2), keepdims=True)

    (content_mean, content_std), (style_mean, style_std) = moments(content), moments(style)
    np.testing.assert_allclose(found, (content - content_mean) / content_std * style_std + style_mean, rtol=1e-5, atol=1e-5)


def test_a_flat_channel_becomes_the_styles_mean() -> None:
    style = tf.constant(np.array([1.0, 3.0], np.float32).reshape(1, 1, 2, 1))
    np.testing.assert_allclose(adain(tf.fill((1, 4, 4, 1), 9.0), style).numpy(), 2.0, atol=1e-6)


def test_moments_are_float32_whatever_the_features_are() -> None:
    # In bfloat16, whose step at 256 is 2, this deviation of a half would be lost.
    content = tf.cast(tf.reshape(tf.constant([256.0, 258.0] * 8), (1, 4, 4, 1)), tf.bfloat16)
    found = adain(content, tf.reshape(tf.constant([256.0, 257.0] * 8), (1, 4, 4, 1)), eps=0)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(sorted(set(found.numpy().ravel())), [256, 257])
