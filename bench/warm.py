"""An optimiser's memory of one scale, made into one for the next (experiment)."""

from __future__ import annotations

import numpy as np

from workers.style.optimiser import Memory
from workers.style.resample import resize


def carried(memory: Memory, shape: tuple[int, int], wanted: tuple[int, int]) -> Memory:
    """Return L-BFGS's pairs or Adam's moments of a canvas ``shape``, (height, width), for one of ``wanted``.

    Losses are means, so a gradient of n times as many numbers is 1/n as large: gradients and
    their changes shrink by the ratio of areas, squares of gradients by its square; steps of
    the picture stay what they are.
    """
    ratio = shape[0] * shape[1] / (wanted[0] * wanted[1])

    def scaled(vector: np.ndarray, factor: float) -> np.ndarray:
        return (resize(vector.astype(np.float32).reshape(*shape, 3), *wanted) * np.float32(factor)).ravel()

    if "mean" in memory:
        # Lanczos's kernel has negative lobes, and a square none.
        square = np.maximum(scaled(memory["square"], ratio**2), 0.0)
        return {"mean": scaled(memory["mean"], ratio), "square": square, "number": memory["number"]}
    found = dict(memory)
    for name, factor in (("steps", 1.0), ("changes", ratio)):
        found[name] = np.array([scaled(vector, 1.0) for vector in memory[name]], np.float16).reshape(-1, 3 * wanted[0] * wanted[1])
        found[f"{name}_largest"] = memory[f"{name}_largest"] * np.float32(factor)
    return found
