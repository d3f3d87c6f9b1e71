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
# Directions a head sees, and rows that they are found from.
COMPONENTS, _FITTED = 256, 2048
_SHRINKAGE = 0.1


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


def whitening(x: Array) -> Array:
    """Return float32 (d, k): standardised features times this have k uncorrelated columns of about equal size.

    Principal components, each divided by √(λ + 0.1 · mean λ). A few directions hold most of
    what varies in network features, and little of what tells contents apart; a head that
    begins from equal ones learns what holds for pictures it has not seen.

    Args:
        x: float32 (n, d), standardised; n of at least 2. Of many rows a part is looked at.

    Returns:
        k is ``COMPONENTS``, or fewer where the rows have fewer.
    """
    rows = x[np.linspace(0, len(x) - 1, min(len(x), _FITTED)).astype(int)]
    gram = rows.astype(np.float64) @ rows.T.astype(np.float64) / len(rows)
    values, vectors = np.linalg.eigh(gram)
    kept = np.flatnonzero(values > _STILL * values[-1])[::-1][:COMPONENTS]
    values, vectors = values[kept], vectors[:, kept]
    # Right singular vectors from left ones.
    directions = rows.T @ (vectors / np.sqrt(values * len(rows))).astype(np.float32)
    return (directions / np.sqrt(values + _SHRINKAGE * values.mean())).astype(np.float32)


def perceptron(inputs: int, hidden: int, outputs: int, rng: np.random.Generator) -> list[Array]:
    """Return seeded kernels and biases of inputs → hidden → outputs: orthogonal, and "looks linear".

    Balduzzi et al., "The Shattered Gradients Problem", 2017, section 4: each unit has one
    of opposite sign, and relu(x) − relu(−x) = x, so that the head begins as a projection,
    which keeps distances, and not as a random bend, which loses them. An odd unit stays
    without its opposite. Biases are 0.
    """
    half = (hidden + 1) // 2
    first, second = _orthogonal(inputs, half, rng), _orthogonal(half, outputs, rng)
    first, second = np.concatenate([first, -first], 1)[:, :hidden], np.concatenate([second, -second])[:hidden]
    return [first, np.zeros(hidden, np.float32), second, np.zeros(outputs, np.float32)]


def _orthogonal(rows: int, columns: int, rng: np.random.Generator) -> Array:
    """Return (rows, columns) whose shorter side's vectors are orthonormal."""
    drawn = rng.standard_normal((max(rows, columns), min(rows, columns)))
    basis = np.linalg.qr(drawn)[0].astype(np.float32)
    return np.ascontiguousarray(basis if rows >= columns else basis.T)
