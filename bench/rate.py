"""How many operations a second this machine does in a matrix product: the measure of what an iteration could take at best."""

from __future__ import annotations

import time

import tensorflow as tf

# Large enough that a product is bound by arithmetic, small enough to be asked often.
_SIDE = 2048
PRECISIONS = ("float32", "bfloat16")


class Rates:
    """Products of two square matrices in each precision, ready to be timed."""

    def __init__(self) -> None:
        self._product = tf.function(lambda one, other: tf.reduce_sum(tf.matmul(one, other)), reduce_retracing=False)
        self._matrices = {name: tf.cast(tf.random.stateless_uniform([_SIDE, _SIDE], (1, 2)), tf.as_dtype(name)) for name in PRECISIONS}
        for name in PRECISIONS:
            self._once(name)

    def measure(self, times: int = 3) -> dict[str, float]:
        """Return operations a second by precision: the best of ``times`` products each."""
        return {name: 2.0 * _SIDE**3 / min(self._once(name) for _ in range(times)) for name in PRECISIONS}

    def _once(self, name: str) -> float:
        matrix = self._matrices[name]
        began = time.perf_counter()
        self._product(matrix, matrix).numpy()
        return time.perf_counter() - began
