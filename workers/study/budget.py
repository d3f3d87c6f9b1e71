"""How the work is measured out, so that every cell of the grid is trained alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rations:
    """What one round is: every training picture drawn twice.

    Attributes:
        pictures: n, an even number of training pictures.
        batches: steps of a round, an even number.
        pairs: most pairs in a step of a contrastive stage. With it an epoch over pairs of views, n
            pairs, has ``batches`` steps, and one over pairs by label, n/2 pairs, has half as many:
            two of those are a round.
    """

    pictures: int
    batches: int
    pairs: int

    @property
    def vectors(self) -> int:
        """Feature vectors of a round."""
        return 2 * self.pictures


def rations(pictures: int, batch_size: int) -> Rations:
    """Return rounds of about ``batch_size`` pairs a step, the same number of steps and vectors for every objective.

    Args:
        pictures: even, at least 6.
        batch_size: pairs wanted in a step, at least 4.
    """
    half = pictures // 2
    for batches in range(max(1, round(half / batch_size)), 0, -1):
        pairs = max(4, -(-half // batches))
        if -(-half // pairs) == batches and -(-pictures // pairs) == 2 * batches:
            break
    return Rations(pictures, 2 * batches, pairs)


def draws(given: Rations, rounds: int, views: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Yield for each step the rows of (pictures · views) features to take: a random view of each picture drawn."""
    for _ in range(rounds):
        order = np.concatenate([rng.permutation(given.pictures), rng.permutation(given.pictures)])
        rows = order * views + rng.integers(views, size=len(order))
        yield from np.array_split(rows, given.batches)
