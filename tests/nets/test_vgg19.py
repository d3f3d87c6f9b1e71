from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from app.core.config import Settings
from app.core.errors import EngineError
from workers.nets import weights
from workers.nets.vgg19 import LAYERS, VGG19, effort

GOLDEN = Path(__file__).parents[1] / "golden" / "vgg19_adain.npz"
MODES = {"zero_avg": ("zero", "avg"), "reflect_max": ("reflect", "max")}


@pytest.fixture(scope="module")
def golden() -> Mapping[str, np.ndarray]:
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def vgg19(weights_cache: Settings) -> VGG19:
    return VGG19(weights.load("vgg19", weights_cache))


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def picture(golden: Mapping[str, np.ndarray], which: str) -> tf.Tensor:
    return tf.constant(golden[f"{which}_uint8_256"][None] / np.float32(255))


@pytest.mark.parametrize("which", ["content", "style"])
@pytest.mark.parametrize("mode", MODES)
def test_every_layer_agrees_with_the_independent_implementation(
    mode: str, which: str, vgg19: VGG19, golden: Mapping[str, np.ndarray]
) -> None:
    padding, pooling = MODES[mode]
    named = [layer for layer in LAYERS if f"{mode}/{which}/{layer}_mean" in golden]
    assert named == list(LAYERS[:13])
    found = vgg19.features(picture(golden, which), named, padding=padding, pooling=pooling)
    for layer in named:
        activations = found[layer].numpy()[0].astype(np.float64)
        assert relative(activations.mean((0, 1)), golden[f"{mode}/{which}/{layer}_mean"]) < 1e-5, layer
        assert relative(activations.std((0, 1)), golden[f"{mode}/{which}/{layer}_std"]) < 1e-5, layer


def test_bfloat16_agrees_to_one_percent(vgg19: VGG19, golden: Mapping[str, np.ndarray]) -> None:
    found = vgg19.features(picture(golden, "content"), LAYERS[:13], dtype=tf.bfloat16)
    for layer, activations in found.items():
        assert activations.dtype == tf.bfloat16
        values = tf.cast(activations[0], tf.float64).numpy()
        for statistic, expected in ((values.mean((0, 1)), "mean"), (values.std((0, 1)), "std")):
            assert relative(statistic, golden[f"zero_avg/content/{layer}_{expected}"]) < 0.01, layer


@pytest.mark.parametrize(
    ("pooling", "sizes"),
    [("avg", [(37, 50), (18, 25), (9, 12), (4, 6), (2, 3)]), ("max", [(37, 50), (19, 25), (10, 13), (5, 7), (3, 4)])],
)
def test_odd_sides_are_dropped_by_avg_and_kept_by_max(pooling: str, sizes: list[tuple[int, int]], vgg19: VGG19) -> None:
    image = tf.random.stateless_uniform((1, 37, 50, 3), seed=(1, 2))
    layers = ["relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4"]
    found = vgg19.features(image, layers, padding="reflect", pooling=pooling)
    assert [tuple(found[layer].shape[1:3]) for layer in layers] == sizes
    assert [found[layer].shape[3] for layer in layers] == [64, 128, 256, 512, 512]


def test_computes_no_deeper_than_asked(vgg19: VGG19) -> None:
    @tf.function
    def shallow(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return vgg19.features(image, ["relu2_1", "relu1_1"])

    graph = shallow.get_concrete_function(tf.TensorSpec((1, 32, 32, 3))).graph
    # The colour layer and conv1_1, conv1_2, conv2_1.
    assert [operation.type for operation in graph.get_operations()].count("Conv2D") == 4


def test_the_same_inside_one_graph_after_another(weights_cache: Settings) -> None:
    network = VGG19(weights.load("vgg19", weights_cache))
    image = tf.random.stateless_uniform((1, 32, 32, 3), seed=(3, 4))

    def once(picture: tf.Tensor) -> tf.Tensor:
        return network.features(picture, ["relu3_1"])["relu3_1"]

    in_graphs = [tf.function(once)(image).numpy() for _ in range(2)]
    np.testing.assert_allclose(in_graphs[0], once(image).numpy(), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(in_graphs[0], in_graphs[1])


def test_no_such_layer(vgg19: VGG19) -> None:
    with pytest.raises(EngineError, match=r"no layer 'relu6_1'.*relu5_4"):
        vgg19.features(tf.zeros((1, 32, 32, 3)), ["relu1_1", "relu6_1"])


def test_effort_counts_multiplications_at_each_pixel() -> None:
    first_block = 3 * 64 + 64 * 64
    to_relu3_1 = first_block + (64 + 128) * 128 / 4 + 128 * 256 / 16
    to_relu5_1 = to_relu3_1 + 3 * 256 * 256 / 16 + (256 + 3 * 512) * 512 / 64 + 512 * 512 / 256
    assert effort("relu5_1") == 1.0
    assert effort("relu3_1") == pytest.approx(to_relu3_1 / to_relu5_1)
    assert effort("relu5_2") > 1.0
