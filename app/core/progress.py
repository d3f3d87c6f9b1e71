"""What an engine tells its caller while it works, and how the caller tells it to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.core.checkpoint import Checkpoint

Stage = Literal["prepare", "adain", "refine", "finish"]


@dataclass(frozen=True, slots=True)
class Losses:
    """Weighted terms of the objective at one iteration; ``total`` is their sum."""

    content: float
    style: float
    tv: float
    total: float


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of an engine.

    Attributes:
        stage: what is being done.
        scale: longer side, in pixels, of the picture being worked on.
        iteration: iterations finished so far, over all scales.
        iterations: iterations planned over all scales.
        fraction: share of the whole work done, 0 to 1, weighted by cost (an
            iteration at 512 counts about four times one at 256). Never falls.
        losses: terms of the objective; None outside ``refine``, and for a part of an iteration.
        elapsed: seconds since the start.
        remaining: estimated seconds left; None until measured.
        preview: uint8 RGB picture of shape (height, width, 3), at most 512 pixels long, or None.
        note: why something went otherwise than planned, in words, or None.
        save: returns the state to go on from, that after the newest whole iteration, or None
            where a new run would be as far as soon. To be called, if at all, before the callback returns.
        ends_scale: whether the next iteration is of a larger scale, and takes as much longer.
    """

    stage: Stage
    scale: int
    iteration: int
    iterations: int
    fraction: float
    losses: Losses | None
    elapsed: float
    remaining: float | None
    preview: NDArray[np.uint8] | None
    note: str | None = None
    save: Callable[[], Checkpoint] | None = None
    ends_scale: bool = False


OnProgress = Callable[[Progress], None]


class StopRequested(Exception):
    """Raised by an ``OnProgress`` callback: end now and return the best picture so far."""
