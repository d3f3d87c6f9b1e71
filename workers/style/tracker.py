"""Counting what is done of a painting, and telling the caller."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.core.checkpoint import Checkpoint
from app.core.progress import Losses, OnProgress, Progress, Stage
from workers.style.descent import Step
from workers.style.pyramid import Scale

# What goes before the iterations, in pixels through forward and backward pass of the
# network: AdaIN on the full canvas, and at each scale the targets and the evaluation at its start.
_ADAIN_SHARE = 0.7
_START_SHARE = 2.0
# Of an iteration that is not done, the most that is told.
_NEARLY = 0.95


class Tracker:
    """Turns steps of known cost into Progress records whose fraction never falls."""

    def __init__(
        self,
        on_progress: OnProgress,
        scales: Sequence[Scale],
        *,
        side: int,
        pixels: int,
        costs: Sequence[float],
        resume: Checkpoint | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin counting.

        Args:
            on_progress: told of every step.
            scales: planned, coarse to fine.
            side: longer side of the finished picture, reported outside ``refine``.
            pixels: of the full canvas.
            costs: of an iteration at each scale, in pixels through forward and backward pass.
            resume: where the run goes on; counts and times go on from there too.
            clock: seconds, from any origin.
        """
        self._on_progress, self._clock, self._side, self._scales = on_progress, clock, side, scales
        self._iterations, self._costs = sum(scale.iterations for scale in scales), costs
        # What is done when a scale begins, and at the end when all of them are.
        self._starts = [_ADAIN_SHARE * pixels]
        for number, scale in enumerate(scales):
            self._starts.append(self._starts[-1])
            self._starts[-1] = self._reached(number, scale.iterations) if scale.iterations else self._starts[-1]
        self._began = clock() - (resume.elapsed if resume else 0.0)
        self._iteration = resume.iteration if resume else 0
        self._begins_at = scales[resume.scale].side if resume else side
        self._done = self._reached(resume.scale, resume.done) if resume else 0.0
        # Of the iteration that is being worked on, and the most that was ever told.
        self._part = self._told = 0.0
        self._save: Callable[[], Checkpoint] | None = None
        # Seconds and cost of the iterations that were measured: not a scale's first, which also builds its graph.
        self._seconds, self._measured = 0.0, 0.0
        self._last: tuple[int, float] | None = None

    def prepared(self) -> None:
        self._tell("prepare", self._side, None, None)

    def begun(self, preview: NDArray[np.uint8]) -> None:
        """Tell of the first picture, or of the one that the run goes on from."""
        if self._iteration:
            self._tell("refine", self._begins_at, None, preview)
            return
        self._done = max(self._done, self._starts[0])
        self._tell("adain", self._side, None, preview)

    def worked(self, cost: float) -> None:
        """Tell that a part of the next iteration is done, so that one that takes minutes shows life and can be ended."""
        number = min(max(0, bisect_right(self._starts, self._done) - 1), len(self._scales) - 1)
        begins = self._done <= self._starts[number]
        whole = self._reached(number, 1) - self._done if begins else self._costs[number]
        # Never all of it: after a change or at the start of a run more than one evaluation is needed.
        self._part = min(self._part + cost, _NEARLY * whole)
        self._tell("refine", self._scales[number].side, None, None, save=self._save)

    def iterated(self, step: Step, preview: NDArray[np.uint8]) -> None:
        now, scale = self._clock(), self._scales[step.number]
        if self._last and self._last[0] == step.number:
            self._seconds += now - self._last[1]
            self._measured += self._costs[step.number]
        self._last = step.number, now
        self._done = self._starts[step.number + 1] if step.note else self._reached(step.number, step.done)
        self._part = 0.0
        self._iteration += 1
        elapsed = now - self._began
        self._save = lambda: replace(step.save(), elapsed=elapsed)
        ends = step.number + 1 < len(self._scales) and (step.note is not None or step.done == scale.iterations)
        self._tell("refine", scale.side, step.losses, preview, step.note, self._save, ends=ends)

    def finished(self, preview: NDArray[np.uint8]) -> None:
        self._done = self._starts[-1]
        self._tell("finish", self._side, None, preview)

    def _reached(self, number: int, done: int) -> float:
        return self._starts[number] + self._costs[number] * (done + _START_SHARE)

    def _tell(
        self,
        stage: Stage,
        side: int,
        losses: Losses | None,
        preview: NDArray[np.uint8] | None,
        note: str | None = None,
        save: Callable[[], Checkpoint] | None = None,
        *,
        ends: bool = False,
    ) -> None:
        self._told = min(max(self._told, self._done + self._part), self._starts[-1])
        fraction = self._told / self._starts[-1]
        remaining = self._seconds / self._measured * (self._starts[-1] - self._told) if self._measured else None
        if stage == "finish":
            remaining = 0.0
        elapsed = self._clock() - self._began
        counts = self._iteration, self._iterations
        self._on_progress(Progress(stage, side, *counts, fraction, losses, elapsed, remaining, preview, note, save, ends))
