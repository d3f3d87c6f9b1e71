from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from app.core.config import Settings
from app.core.errors import ArtefactError
from workers.nets import weights
from workers.nets.manifest import DECODER_LAYERS, NETWORKS, VGG19_LAYERS, check_stored, from_source

GOLDEN = Path(__file__).parents[1] / "golden" / "inception_v3.npz"


def source(name: str) -> dict[str, np.ndarray]:
    return {key: np.zeros(shape, np.float32) for key, shape in NETWORKS[name].tensors.values()}


def test_inceptions_convolutions_are_those_of_keras_in_its_order() -> None:
    model = tf.keras.applications.InceptionV3(weights=None, include_top=False)
    convolutions = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.Conv2D)]
    # model.layers is in order of depth; the number in an automatic name is the order of creation.
    convolutions.sort(key=lambda layer: int(("0" + layer.name.removeprefix("conv2d")).replace("_", "")))
    stored = {
        name: (shape[2], shape[3], shape[1], shape[0]) for name, (_, shape) in NETWORKS["inception_v3"].tensors.items() if len(shape) == 4
    }
    assert [tuple(layer.kernel.shape) for layer in convolutions] == list(stored.values())
    assert list(stored) == [f"conv{number:02d}.kernel" for number in range(94)]
    assert len(NETWORKS["inception_v3"].tensors) == 94 * 4


def test_the_decoder_mirrors_the_encoder() -> None:
    encoder = {name: (into, out) for name, _, into, out in VGG19_LAYERS}
    for name, _, into, out in DECODER_LAYERS:
        assert (out, into) == encoder[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_what_the_source_gives_is_what_is_stored(name: str) -> None:
    check_stored(name, from_source(name, source(name)))


@pytest.mark.parametrize(
    "change",
    [
        {"2.weight": None},
        {"2.weight": np.zeros((64, 3, 3, 2), np.float32)},
        {"2.weight": np.zeros((64, 3, 3, 3), np.float64)},
        {"54.weight": np.zeros(3, np.float32)},
    ],
)
def test_other_names_shapes_or_types_are_refused(change: dict[str, np.ndarray | None]) -> None:
    arrays = {key: value for key, value in {**source("vgg19"), **change}.items() if value is not None}
    with pytest.raises(ArtefactError, match=f"differ from the manifest at '{next(iter(change))}'"):
        from_source("vgg19", arrays)


def test_inceptions_first_five_convolutions_give_the_golden_activations(weights_cache: Settings) -> None:
    arrays = weights.load("inception_v3", weights_cache)
    with np.load(GOLDEN) as file:
        golden = dict(file)
    x = tf.constant((golden["input_uint8_299"][None].astype(np.float32) - 128) / 128)
    steps = [("conv", 2, "VALID"), ("conv_1", 1, "VALID"), ("conv_2", 1, "SAME"), ("conv_3", 1, "VALID"), ("conv_4", 1, "VALID")]
    for number, (name, stride, padding) in enumerate(steps):
        if name == "conv_3":
            x = tf.nn.max_pool2d(x, 3, 2, "VALID")
        kernel, beta, mean, variance = (arrays[f"conv{number:02d}.{part}"] for part in ("kernel", "beta", "mean", "var"))
        x = tf.nn.relu(tf.nn.batch_normalization(tf.nn.conv2d(x, kernel, stride, padding), mean, variance, beta, None, 1e-3))
        found = x.numpy()[0].astype(np.float64).mean((0, 1))
        assert np.linalg.norm(found - golden[f"{name}_mean"]) / np.linalg.norm(golden[f"{name}_mean"]) < 1e-4, name
