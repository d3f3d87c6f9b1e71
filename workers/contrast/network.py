"""The head's layers in TensorFlow, while they are trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Kernel and bias of the hidden layer, then of the output: variables.
Weights = Sequence[Any]


def variables(arrays: Iterable[np.ndarray | tf.Tensor]) -> list[tf.Variable]:
    """Return variables that begin as ``arrays``.

    Their shape is left open, so that graphs built for one head serve heads of every width:
    a process that trains many keeps few graphs.
    """
    return [tf.Variable(array, shape=tf.TensorShape([None] * len(array.shape)), dtype=tf.float32) for array in arrays]


def forward(weights: Weights, x: tf.Tensor) -> tf.Tensor:
    """Return (n, outputs) of (n, inputs): hidden layer, ReLU, output layer."""
    hidden_kernel, hidden_bias, output_kernel, output_bias = weights
    hidden = tf.nn.relu(tf.matmul(x, hidden_kernel) + hidden_bias)
    return tf.matmul(hidden, output_kernel) + output_bias


def embed(weights: Weights, x: tf.Tensor) -> tf.Tensor:
    """Return (n, outputs) unit vectors of (n, inputs) standardised features."""
    return tf.math.l2_normalize(forward(weights, x), axis=1)


@tf.function(reduce_retracing=True)
def embeddings(weights: Weights, features: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Return the embeddings of some rows of ``features``, as one graph."""
    return embed(weights, tf.gather(features, rows))
