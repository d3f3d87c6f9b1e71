"""VGG19's convolutions in TensorFlow, with normalised activations (Gatys et al., 2016).

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", 2014, configuration E; weights rescaled so that each activation averages 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

import numpy as np
import tensorflow as tf

from app.core.errors import EngineError
from workers.nets.manifest import VGG19_LAYERS

Padding = Literal["zero", "reflect"]
Pooling = Literal["avg", "max"]

LAYERS = tuple(f"relu{name}" for name, *_ in VGG19_LAYERS)


def stride(layer: str) -> int:
    """Return how many pixels apart the features at ``layer`` are: 1, 2, 4, 8, 16 for the five blocks."""
    return 1 << int(layer.removeprefix("relu")[0]) - 1


def effort(deepest: str) -> float:
    """Return what it takes to go as deep as this layer, as a share of the way to relu5_1: multiplications at each pixel."""
    taken = [before * after / stride(layer) ** 2 for layer, (_, _, before, after) in zip(LAYERS, VGG19_LAYERS, strict=True)]
    return sum(taken[: LAYERS.index(deepest) + 1]) / sum(taken[: LAYERS.index("relu5_1") + 1])


class VGG19:
    """The network's weights on the device, once for each precision asked for."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take the weights as ``workers.nets.weights.load("vgg19", …)`` gives them."""
        self._weights = weights
        self._constants: dict[tf.DType, dict[str, tf.Tensor]] = {}

    def features(
        self,
        image: tf.Tensor,
        layers: Iterable[str],
        *,
        padding: Padding = "zero",
        pooling: Pooling = "avg",
        dtype: tf.DType = tf.float32,
    ) -> dict[str, tf.Tensor]:
        """Return the activations at ``layers``, computing no deeper than the deepest of them.

        Args:
            image: float32 (batch, height, width, 3), RGB in [0, 1], sides at least 32.
            layers: names such as ``relu4_1``; see ``LAYERS``.
            padding: of the 3×3 convolutions. AdaIN's decoder was trained on ``reflect``.
            pooling: ``avg`` drops an odd last row or column, ``max`` keeps it (ceil mode).
            dtype: float32 or bfloat16, of convolutions and results.

        Returns:
            Layer name to (batch, ⌈height/s⌉, ⌈width/s⌉, channels) with ``max`` pooling,
            ⌊…⌋ with ``avg``; s is 1, 2, 4, 8, 16 for the five blocks.

        Raises:
            EngineError: no such layer.
        """
        wanted = set(layers)
        if unknown := wanted.difference(LAYERS):
            raise EngineError(f"VGG19 has no layer {sorted(unknown)[0]!r}. Choose among: {', '.join(LAYERS)}.")
        weights = self._in(dtype)
        # RGB to BGR, ×255, less the mean: in float32, since bfloat16 keeps eight bits.
        x = _convolution(image, weights["input.kernel"], weights["input.turned"], "VALID") + weights["input.bias"]
        x = tf.cast(x, dtype)
        found: dict[str, tf.Tensor] = {}
        block = "1"
        for layer in LAYERS:
            if len(found) == len(wanted):
                break
            name = layer.removeprefix("relu")
            if name[0] != block:
                block = name[0]
                x = pool(x, pooling)
            mode = "SAME"
            if padding == "reflect":
                x, mode = _reflected(x), "VALID"
            x = _convolution(x, weights[f"conv{name}.kernel"], weights[f"conv{name}.turned"], mode)
            x = tf.nn.relu(tf.nn.bias_add(x, weights[f"conv{name}.bias"]))
            if layer in wanted:
                found[layer] = x
        return found

    def channels(self, layer: str) -> int:
        """Return how many channels ``layer`` has."""
        return int(self._weights[f"conv{layer.removeprefix('relu')}.kernel"].shape[-1])

    def _in(self, dtype: tf.DType) -> dict[str, tf.Tensor]:
        if dtype not in self._constants:
            # Outside any graph under construction, or the constants would belong to that graph.
            with tf.init_scope():
                self._constants[dtype] = {
                    key: tf.constant(array, tf.float32 if key.startswith("input.") else dtype) for key, array in self._arrays()
                }
        return self._constants[dtype]

    def _arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        for key, array in self._weights.items():
            yield key, array
            if key.endswith(".kernel"):
                yield key.replace(".kernel", ".turned"), np.ascontiguousarray(array[::-1, ::-1].transpose(0, 1, 3, 2))


def _convolution(x: tf.Tensor, kernel: tf.Tensor, turned: tf.Tensor, mode: Literal["SAME", "VALID"]) -> tf.Tensor:
    """Return the convolution of ``x``, whose gradient is one with ``turned``: the kernel rotated, its channels swapped.

    The same numbers as TensorFlow's own gradient, but through oneDNN's forward code: for each
    new shape its backward code keeps about 2 MB a layer for as long as the process lives.
    """
    beyond = [[0, 0], *[[side - 1, side - 1] for side in kernel.shape[:2]], [0, 0]]

    @tf.custom_gradient
    def convolved(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return tf.nn.conv2d(upstream, turned, 1, mode if mode == "SAME" else beyond)

        return tf.nn.conv2d(x, kernel, 1, mode), gradient

    return convolved(x)


def convolve(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, padding: Padding) -> tf.Tensor:
    """Return the same-size 3×3 convolution of ``x`` (batch, height, width, channels)."""
    if padding == "reflect":
        return tf.nn.bias_add(tf.nn.conv2d(_reflected(x), kernel, 1, "VALID"), bias)
    return tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias)


def _reflected(x: tf.Tensor) -> tf.Tensor:
    return tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")


def pool(x: tf.Tensor, pooling: Pooling) -> tf.Tensor:
    """Return ``x`` at half its height and width."""
    if pooling == "max":
        return tf.nn.max_pool2d(x, 2, 2, "SAME")
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")
