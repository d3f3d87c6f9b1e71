"""The projection head as plain arrays, applied with NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError

Array = NDArray[np.float32]
# Rows at once, so that the middle layer of many pictures takes little memory.
_ROWS = 1024
# A deviation this small beside the channel's own size is rounding, not variation.
_STILL = 1e-6


@dataclass(frozen=True, eq=False)
class Head:
    """Standardise, d → hidden, ReLU, hidden → output, L2.

    Attributes:
        mean, scale: float32 (d,); a feature x becomes (x − mean) · scale.
        hidden_kernel, hidden_bias: float32 (d, hidden), (hidden,).
        output_kernel, output_bias: float32 (hidden, output), (output,).
    """

    mean: Array
    scale: Array
    hidden_kernel: Array
    hidden_bias: Array
    output_kernel: Array
    output_bias: Array

    def embed(self, features: NDArray[np.floating]) -> Array:
        """Return the embeddings of raw features, unit vectors.

        Args:
            features: (n, d), as the network gave them; n may be 0.

        Returns:
            float32 (n, output), each row of length 1.

        Raises:
            InputError: another number of features than the head was made for.
        """
        if features.ndim != 2 or features.shape[1] != self.mean.size:
            raise InputError(f"This head takes {self.mean.size} features a picture. Received: an array of shape {features.shape}.")
        embeddings = np.empty((len(features), self.output_bias.size), np.float32)
        for start in range(0, len(features), _ROWS):
            rows = slice(start, start + _ROWS)
            x = (features[rows].astype(np.float32) - self.mean) * self.scale
            hidden = np.maximum(x @ self.hidden_kernel + self.hidden_bias, 0)
            z = hidden @ self.output_kernel + self.output_bias
            embeddings[rows] = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-6)
        return embeddings

    def arrays(self) -> dict[str, Array]:
        """Return the six arrays by name, contiguous, as a file keeps them."""
        return {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Head:
        """Return the head that gave ``arrays``; others beside them are let be.

        Raises:
            InputError: one is missing, or their shapes do not fit together.
        """
        names = [field.name for field in fields(cls)]
        if missing := [name for name in names if name not in arrays]:
            raise InputError(
                f"The file is no projection head: {', '.join(missing)} missing. Received: {', '.join(sorted(arrays)) or 'nothing'}."
            )
        found = {name: np.asarray(arrays[name], np.float32) for name in names}
        shapes = {name: array.shape for name, array in found.items()}
        (d, hidden), output = (*shapes["hidden_kernel"], 0, 0)[:2], shapes["output_bias"][:1]
        expected = {"mean": (d,), "scale": (d,), "hidden_kernel": (d, hidden), "hidden_bias": (hidden,)}
        if shapes != expected | {"output_kernel": (hidden, *output), "output_bias": output}:
            raise InputError(f"The file is no projection head: its arrays do not fit together. Received: {shapes}.")
        return cls(**found)


def standardisation(features: Array) -> tuple[Array, Array]:
    """Return (mean, scale), float32 (d,), that bring each column of (n, d) to mean 0 and deviation 1.

    A column that does not vary gets scale 0: what was never seen to vary says nothing.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = np.sqrt(np.mean(np.square(features - mean.astype(np.float32)), axis=0, dtype=np.float64))
    still = deviation <= _STILL * np.maximum(np.abs(mean), 1e-6)
    return mean.astype(np.float32), np.where(still, 0, 1 / np.where(still, 1, deviation)).astype(np.float32)


def perceptron(inputs: int, hidden: int, outputs: int, rng: np.random.Generator) -> list[Array]:
    """Return seeded kernels and biases of inputs → hidden → outputs.

    He et al., "Delving Deep into Rectifiers", 2015, before the ReLU; variance 1/hidden
    after it; biases 0.
    """
    first = rng.standard_normal((inputs, hidden), np.float32) * np.float32(np.sqrt(2 / inputs))
    second = rng.standard_normal((hidden, outputs), np.float32) * np.float32(np.sqrt(1 / hidden))
    return [first, np.zeros(hidden, np.float32), second, np.zeros(outputs, np.float32)]
