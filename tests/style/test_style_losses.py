from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from app.core.config import Settings
from app.core.specs import STYLE_LAYERS
from workers.nets import weights
from workers.nets.vgg19 import VGG19
from workers.style.losses import content_loss, gram_matrix, style_loss, total_variation

GOLDEN = Path(__file__).parents[1] / "golden" / "vgg19_adain.npz"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_gram_matrix_is_the_mean_of_outer_products(rng: np.random.Generator) -> None:
    features = rng.standard_normal((1, 5, 7, 4)).astype(np.float32)
    expected = np.zeros((4, 4))
    for row in features[0]:
        for vector in row:
            expected += np.outer(vector, vector) / 35
    np.testing.assert_allclose(gram_matrix(tf.constant(features)), expected, rtol=1e-5, atol=1e-6)


def test_gram_matrix_gradient_against_finite_differences(rng: np.random.Generator) -> None:
    features = rng.standard_normal((1, 3, 4, 2))
    target = rng.standard_normal((2, 2))

    def loss(f: np.ndarray) -> float:
        flat = f.reshape(-1, 2)
        return float(np.mean((flat.T @ flat / 12 - target) ** 2))

    point = tf.constant(features, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = tf.reduce_mean(tf.square(gram_matrix(point) - tf.constant(target, tf.float32)))
    expected = np.zeros_like(features)
    for index in np.ndindex(features.shape):
        step = np.zeros_like(features)
        step[index] = 1e-5
        expected[index] = (loss(features + step) - loss(features - step)) / 2e-5
    assert float(value) == pytest.approx(loss(features), rel=1e-5)
    np.testing.assert_allclose(tape.gradient(value, point), expected, rtol=1e-4, atol=1e-5)


def test_gram_matrix_of_bfloat16_features_is_float32(rng: np.random.Generator) -> None:
    features = tf.cast(tf.constant(rng.standard_normal((1, 4, 4, 3)), tf.float32), tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(features)
        gram = gram_matrix(features)
    assert gram.dtype == tf.float32
    assert tape.gradient(gram, features).dtype == tf.bfloat16
    exact = features.numpy().astype(np.float64).reshape(-1, 3)
    np.testing.assert_allclose(gram, exact.T @ exact / 16, rtol=1e-5, atol=1e-6)


def test_content_loss_is_the_mean_square() -> None:
    features = tf.constant([[[[1.0, 2.0]], [[3.0, 5.0]]]])
    target = tf.constant([[[[0.0, 2.0]], [[1.0, 1.0]]]])
    assert float(content_loss(features, target)) == (1 + 0 + 4 + 16) / 4


def test_style_loss_weighs_each_layer() -> None:
    grams = [tf.ones([2, 2]), tf.fill([4, 4], 3.0)]
    targets = [tf.zeros([2, 2]), tf.ones([4, 4])]
    # 1e5 · (2 · 1/2² + 0.5 · 4/4²)
    assert float(style_loss(grams, targets, tf.constant([2.0, 0.5]))) == pytest.approx(62_500.0)


def test_total_variation_by_hand() -> None:
    image = tf.constant([[[[0.0], [1.0]], [[2.0], [5.0]]]])
    # down: (2² + 4²)/2; across: (1² + 3²)/2
    assert float(total_variation(image)) == 15.0


def test_golden_losses_of_the_adain_picture(weights_cache: Settings) -> None:
    """The independent implementation's content and Gram errors of its own AdaIN picture."""
    vgg = VGG19(weights.load("vgg19", weights_cache))
    with np.load(GOLDEN) as file:
        golden: Mapping[str, np.ndarray] = dict(file)
    names = {"content": "content_uint8_256", "style": "style_uint8_256", "adain": "adain_output_uint8"}
    found = {who: vgg.features(tf.constant(golden[key][None] / np.float32(255)), [*STYLE_LAYERS, "relu4_2"]) for who, key in names.items()}
    mse = float(content_loss(found["adain"]["relu4_2"], found["content"]["relu4_2"]))
    assert mse == pytest.approx(float(golden["content_mse_relu4_2"]), rel=1e-4)
    for layer in STYLE_LAYERS:
        difference = gram_matrix(found["adain"][layer]) - gram_matrix(found["style"][layer])
        assert float(tf.reduce_mean(tf.square(difference))) == pytest.approx(float(golden[f"gram_mse_{layer}"]), rel=1e-4)
