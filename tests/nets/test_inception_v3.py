"""InceptionV3 against activations that an independent implementation computed from the same weights."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from app.core.config import Settings
from app.core.errors import EngineError
from workers.nets import weights
from workers.nets.inception_v3 import LAYERS, InceptionV3

GOLDEN = np.load(Path(__file__).parent.parent / "golden" / "inception_v3.npz")


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.fixture(scope="module")
def network(weights_cache: Settings) -> InceptionV3:
    return InceptionV3(weights.load("inception_v3", weights_cache))


@pytest.fixture(scope="module")
def activations(network: InceptionV3) -> dict[str, np.ndarray]:
    image = tf.constant(GOLDEN["input_uint8_299"][None], tf.float32)
    return {layer: found.numpy()[0] for layer, found in network.features(image, LAYERS).items()}


@pytest.mark.parametrize("layer", LAYERS)
def test_agrees_with_the_golden_file(activations: dict[str, np.ndarray], layer: str) -> None:
    found = activations[layer]
    assert relative(found.mean(axis=(0, 1)), GOLDEN[f"{layer}_mean"]) < 1e-4
    assert relative(found.std(axis=(0, 1)), GOLDEN[f"{layer}_std"]) < 1e-4


def test_the_last_map_and_its_pool_agree(activations: dict[str, np.ndarray]) -> None:
    # The golden map is stored in half precision, which keeps eleven bits.
    assert relative(activations["mixed_10"], GOLDEN["mixed_10_map"].astype(np.float32)) < 1e-3
    assert relative(activations["mixed_10"].mean(axis=(0, 1)), GOLDEN["pool_2048"]) < 1e-4


def test_a_picture_is_described_alike_alone_and_in_a_batch(network: InceptionV3) -> None:
    picture = GOLDEN["input_uint8_299"].astype(np.float32)
    batch = np.stack([picture, picture[::-1], picture[:, ::-1]])
    together = network.features(tf.constant(batch), ["mixed_4"])["mixed_4"].numpy()
    alone = network.features(tf.constant(batch[1:2]), ["mixed_4"])["mixed_4"].numpy()
    assert relative(together[1:2], alone) < 1e-5
    assert relative(together[:1], alone) > 0.1


def test_bfloat16_agrees_to_a_few_percent(network: InceptionV3) -> None:
    image = tf.constant(GOLDEN["input_uint8_299"][None], tf.float32)
    found = network.features(image, ["mixed_10"], dtype=tf.bfloat16)["mixed_10"]
    assert found.dtype == tf.bfloat16
    assert relative(tf.cast(found, tf.float32).numpy().mean(axis=(0, 1, 2)), GOLDEN["pool_2048"]) < 0.03


def test_computes_no_deeper_than_asked(network: InceptionV3) -> None:
    image = tf.zeros((1, 299, 299, 3))
    graph = tf.function(lambda x: network.features(x, ["mixed_2"])).get_concrete_function(image).graph
    assert sum(operation.type == "Conv2D" for operation in graph.get_operations()) == 5 + 3 * 7


def test_an_unknown_layer_is_refused(network: InceptionV3) -> None:
    with pytest.raises(EngineError, match="no layer 'mixed_11'"):
        network.features(tf.zeros((1, 299, 299, 3)), ["mixed_11"])
