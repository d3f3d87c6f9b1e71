"""InceptionV3's convolutions in TensorFlow: the 2015 graph behind the Fréchet inception distance.

Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception Architecture for
Computer Vision", 2016. No class head. Departures from the later Keras graph: the last
block's pooling branch is a maximum, and batch normalisation has no scale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import tensorflow as tf

from app.core.errors import EngineError

# Shallow to deep. Convolutions of the stem, its two poolings, and the eleven inception blocks.
LAYERS = ("conv", "conv_1", "conv_2", "pool0", "conv_3", "conv_4", "pool1", "mixed", *(f"mixed_{number}" for number in range(1, 11)))
SIDE = 299
_EPSILON = 1e-3

Convolve = Callable[..., tf.Tensor]


class InceptionV3:
    """The network's weights on the device, batch normalisation folded in, once for each precision asked for."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take the weights as ``workers.nets.weights.load("inception_v3", …)`` gives them."""
        self._folded = _fold(weights)
        self._constants: dict[tf.DType, list[tuple[tf.Tensor, tf.Tensor]]] = {}

    def features(self, image: tf.Tensor, layers: Iterable[str], *, dtype: tf.DType = tf.float32) -> dict[str, tf.Tensor]:
        """Return the activations at ``layers``, computing no deeper than the deepest of them.

        Args:
            image: float32 (batch, height, width, 3), RGB in [0, 255], sides at least 75;
                the network was trained on 299 × 299.
            layers: names such as ``mixed_4``; see ``LAYERS``.
            dtype: float32 or bfloat16, of convolutions and results.

        Returns:
            Layer name to (batch, h, w, channels). At 299 × 299: ``conv_2`` (147, 147, 64),
            ``mixed_2`` (35, 35, 288), ``mixed_7`` (17, 17, 768), ``mixed_10`` (8, 8, 2048).

        Raises:
            EngineError: no such layer.
        """
        wanted = set(layers)
        if unknown := wanted.difference(LAYERS):
            raise EngineError(f"InceptionV3 has no layer {sorted(unknown)[0]!r}. Choose among: {', '.join(LAYERS)}.")
        constants = iter(self._in(dtype))

        def convolve(x: tf.Tensor, stride: int = 1, padding: str = "SAME") -> tf.Tensor:
            kernel, bias = next(constants)
            return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, stride, padding), bias))

        x = tf.cast((image - 128.0) / 128.0, dtype)
        found: dict[str, tf.Tensor] = {}
        for layer in LAYERS:
            if len(found) == len(wanted):
                break
            x = _STAGES[layer](x, convolve)
            if layer in wanted:
                found[layer] = x
        return found

    def _in(self, dtype: tf.DType) -> list[tuple[tf.Tensor, tf.Tensor]]:
        if dtype not in self._constants:
            # Outside any graph under construction, or the constants would belong to that graph.
            with tf.init_scope():
                self._constants[dtype] = [(tf.constant(kernel, dtype), tf.constant(bias, dtype)) for kernel, bias in self._folded]
        return self._constants[dtype]


def _fold(weights: Mapping[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (kernel, bias) of each convolution: x ↦ (x − mean) / √(var + ε) + beta is affine."""
    folded = []
    for number in range(sum(key.endswith(".kernel") for key in weights)):
        kernel, beta, mean, var = (weights[f"conv{number:02d}.{part}"] for part in ("kernel", "beta", "mean", "var"))
        scale = 1.0 / np.sqrt(var.astype(np.float64) + _EPSILON)
        folded.append(((kernel * scale).astype(np.float32), (beta - mean * scale).astype(np.float32)))
    return folded


def _max_pool(x: tf.Tensor, convolve: Convolve | None = None) -> tf.Tensor:
    return tf.nn.max_pool2d(x, 3, 2, "VALID")


def _average(x: tf.Tensor) -> tf.Tensor:
    """Average over 3 × 3 without counting what lies outside: TensorFlow's own way with SAME."""
    return tf.nn.avg_pool2d(x, 3, 1, "SAME")


def _block_a(x: tf.Tensor, convolve: Convolve) -> tf.Tensor:
    one = convolve(x)
    five = convolve(convolve(x))
    double = convolve(convolve(convolve(x)))
    return tf.concat([one, five, double, convolve(_average(x))], -1)


def _block_b(x: tf.Tensor, convolve: Convolve) -> tf.Tensor:
    three = convolve(x, 2, "VALID")
    double = convolve(convolve(convolve(x)), 2, "VALID")
    return tf.concat([three, double, _max_pool(x)], -1)


def _block_c(x: tf.Tensor, convolve: Convolve) -> tf.Tensor:
    one = convolve(x)
    seven = convolve(convolve(convolve(x)))
    double = convolve(convolve(convolve(convolve(convolve(x)))))
    return tf.concat([one, seven, double, convolve(_average(x))], -1)


def _block_d(x: tf.Tensor, convolve: Convolve) -> tf.Tensor:
    three = convolve(convolve(x), 2, "VALID")
    seven = convolve(convolve(convolve(convolve(x))), 2, "VALID")
    return tf.concat([three, seven, _max_pool(x)], -1)


def _block_e(x: tf.Tensor, convolve: Convolve, pool: Callable[[tf.Tensor], tf.Tensor] = _average) -> tf.Tensor:
    one = convolve(x)
    three = convolve(x)
    three = tf.concat([convolve(three), convolve(three)], -1)
    double = convolve(convolve(x))
    double = tf.concat([convolve(double), convolve(double)], -1)
    return tf.concat([one, three, double, convolve(pool(x))], -1)


def _last_block(x: tf.Tensor, convolve: Convolve) -> tf.Tensor:
    return _block_e(x, convolve, lambda inner: tf.nn.max_pool2d(inner, 3, 1, "SAME"))


_STAGES: dict[str, Callable[[tf.Tensor, Convolve], tf.Tensor]] = {
    "conv": lambda x, convolve: convolve(x, 2, "VALID"),
    "conv_1": lambda x, convolve: convolve(x, 1, "VALID"),
    "conv_2": lambda x, convolve: convolve(x),
    "pool0": _max_pool,
    "conv_3": lambda x, convolve: convolve(x, 1, "VALID"),
    "conv_4": lambda x, convolve: convolve(x, 1, "VALID"),
    "pool1": _max_pool,
    **{f"mixed{end}": _block_a for end in ("", "_1", "_2")},
    "mixed_3": _block_b,
    **{f"mixed_{number}": _block_c for number in range(4, 8)},
    "mixed_8": _block_d,
    "mixed_9": _block_e,
    "mixed_10": _last_block,
}
