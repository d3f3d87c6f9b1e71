"""Counting what is done of a painting, and telling the caller."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.core.progress import Losses, OnProgress, Progress, Stage
from workers.style.pyramid import Scale

# What goes before the iterations, in pixels through forward and backward pass of the
# network: AdaIN on the full canvas, and at each scale the targets and the evaluation at its start.
_ADAIN_SHARE = 0.7
_START_SHARE = 2.0


class Tracker:
    """Turns steps of known cost into Progress records whose fraction never falls."""

    def __init__(
        self,
        on_progress: OnProgress,
        scales: Sequence[Scale],
        *,
        side: int,
        pixels: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin counting.

        Args:
            on_progress: told of every step.
            scales: planned, coarse to fine.
            side: longer side of the finished picture, reported outside ``refine``.
            pixels: of the full canvas.
            clock: seconds, from any origin.
        """
        self._on_progress, self._clock, self._side = on_progress, clock, side
        self._iterations = sum(scale.iterations for scale in scales)
        self._adain = _ADAIN_SHARE * pixels
        self._total = self._adain + sum(scale.cost * (scale.iterations + _START_SHARE) for scale in scales if scale.iterations)
        self._began = clock()
        self._iteration = 0
        self._done = 0.0
        # Seconds and cost of the iterations that were measured: not a scale's first, which also builds its graph.
        self._seconds, self._measured = 0.0, 0.0
        self._last: tuple[Scale, float] | None = None

    def prepared(self) -> None:
        self._tell("prepare", self._side, None, None)

    def adain(self, preview: NDArray[np.uint8]) -> None:
        self._done = self._adain
        self._tell("adain", self._side, None, preview)

    def iterated(self, scale: Scale, losses: Losses, preview: NDArray[np.uint8]) -> None:
        now = self._clock()
        self._done = max(self._done, self._adain)
        if self._last and self._last[0] is scale:
            self._seconds += now - self._last[1]
            self._measured += scale.cost
        else:
            self._done += _START_SHARE * scale.cost
        self._done += scale.cost
        self._iteration += 1
        self._tell("refine", scale.side, losses, preview)
        self._last = scale, now

    def finished(self, preview: NDArray[np.uint8]) -> None:
        self._done = self._total
        self._tell("finish", self._side, None, preview)

    def _tell(self, stage: Stage, side: int, losses: Losses | None, preview: NDArray[np.uint8] | None) -> None:
        fraction = min(1.0, self._done / self._total)
        remaining = self._seconds / self._measured * (self._total - self._done) if self._measured else None
        if stage == "finish":
            remaining = 0.0
        elapsed = self._clock() - self._began
        self._on_progress(Progress(stage, side, self._iteration, self._iterations, fraction, losses, elapsed, remaining, preview))
