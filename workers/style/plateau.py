"""When a scale has given what it can."""

from __future__ import annotations

from collections.abc import Sequence

# Iterations that the loss is compared over.
SPAN = 10


def is_reached(losses: Sequence[float], percent: float) -> bool:
    """Tell whether the loss has fallen by less than ``percent`` over the newest ``SPAN`` iterations.

    Args:
        losses: lowest loss after each iteration, oldest first.
        percent: 0 never ends a scale.
    """
    if not percent or len(losses) <= SPAN:
        return False
    return losses[-1] > losses[-1 - SPAN] * (1 - percent / 100)
