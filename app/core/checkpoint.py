"""Where a run stands: everything an engine needs to go on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after one of its iterations. Its arrays are never written to again.

    Attributes:
        scale: number of the scale, 0 for the coarsest that is planned.
        done: iterations finished at that scale.
        iteration: iterations finished over all scales.
        elapsed: seconds so far.
        canvas: float32 (height, width, 3), the picture at that scale, with its margin.
        best: the same, the one of the lowest loss; ``canvas`` itself if it is that one.
        losses: lowest loss after each of the newest iterations, oldest first.
        settings: what was in effect, see ``app.core.steering``.
        memory: what the optimiser remembers, by name; only it knows what they are.
    """

    scale: int
    done: int
    iteration: int
    elapsed: float
    canvas: NDArray[np.float32]
    best: NDArray[np.float32]
    losses: tuple[float, ...]
    settings: Mapping[str, float]
    memory: Mapping[str, NDArray[np.generic]]

    @property
    def bytes(self) -> int:
        """How much memory its arrays take."""
        pictures = [self.canvas] if self.best is self.canvas else [self.canvas, self.best]
        return sum(array.nbytes for array in (*pictures, *self.memory.values()))
