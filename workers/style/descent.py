"""The way of one picture through its scales: optimiser, changes on the way, plateaus and checkpoints."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.core.checkpoint import Checkpoint
from app.core.commission import Commission
from app.core.progress import Losses
from app.core.steering import settings_of
from workers.style import plateau
from workers.style.objective import Objective
from workers.style.optimiser import HISTORY, Evaluation, Iterate, Memory, Vector, adam, lbfgs
from workers.style.pyramid import Scale
from workers.style.resample import Picture, resize
from workers.style.targets import JobTargets

Steer = Callable[[], Commission]


@dataclass(frozen=True)
class Step:
    """One iteration at one scale.

    Attributes:
        number: of the scale, 0 for the coarsest.
        done: iterations finished there.
        current, best: pictures at that scale: the newest, and the one of the lowest loss.
        losses: of ``current``.
        note: why the scale ends here, if it ends early.
        save: returns the state after this step.
    """

    number: int
    done: int
    current: Picture
    best: Picture
    losses: Losses
    note: str | None
    save: Callable[[], Checkpoint]


class Descent:
    """One picture on its way; made for one run."""

    def __init__(
        self,
        scales: Sequence[Scale],
        commission: Commission,
        targets: JobTargets,
        objective: Objective,
        *,
        history: int = HISTORY,
        resume: Checkpoint | None = None,
        steer: Steer | None = None,
    ) -> None:
        """Prepare to go through ``scales``, coarse to fine.

        Args:
            objective: of every scale.
            history: pairs that L-BFGS remembers.
            resume: where to go on; of these scales.
            steer: see ``Engine.stylize``.
        """
        self._scales, self._targets, self._objective = scales, targets, objective
        self._history, self._resume, self._steer = history, resume, steer
        self._commission = commission
        self._settings = settings_of(commission)
        self._iteration = resume.iteration if resume else 0
        self._has_changed = False

    def steps(self, picture: Picture) -> Iterator[Step]:
        """Yield each iteration, beginning at ``picture``, or where the checkpoint left off."""
        first = self._resume.scale if self._resume else 0
        for number, scale in enumerate(self._scales):
            if number < first or not scale.iterations:
                continue
            left = self._resume if number == first else None
            if left:
                picture = left.best
            if left and left.done >= scale.iterations:
                continue
            picture = resize(picture, scale.height, scale.width)
            for step in self._at(number, scale, picture, left):
                picture = step.best
                yield step

    def _at(self, number: int, scale: Scale, best: Picture, left: Checkpoint | None) -> Iterator[Step]:
        start, shape = left.canvas if left else best, best.shape
        done = left.done if left else 0
        # Losses of other settings say nothing of these.
        losses = deque(left.losses if left and left.settings == self._settings else (), maxlen=plateau.SPAN + 1)
        for iterate in self._iterates(scale, start, scale.iterations - done, left.memory if left else None):
            if self._has_changed:
                losses.clear()
                self._has_changed = False
            current = iterate.x.reshape(shape)
            if not losses or iterate.loss <= losses[-1]:
                best = current
            losses.append(min(iterate.loss, losses[-1]) if losses else iterate.loss)
            done += 1
            self._iteration += 1
            ends = done < scale.iterations and plateau.is_reached(losses, self._commission.params.plateau)
            note = f"{scale.side} px: stopped at iteration {done} of {scale.iterations}, no longer improving" if ends else None

            # A scale that ended early is done: the next run is not to go on with it.
            reached = scale.iterations if ends else done

            # All of it as it is now: it may be asked for while the next iteration is worked on, by other settings.
            def save(
                done: int = reached,
                iteration: int = self._iteration,
                current: Picture = current,
                best: Picture = best,
                losses: tuple[float, ...] = tuple(losses),
                settings: Mapping[str, float] = self._settings,
                memory: Callable[[], Memory] = iterate.memory,
            ) -> Checkpoint:
                return Checkpoint(number, done, iteration, 0.0, current, best, losses, settings, memory())

            yield Step(number, done, current, best, iterate.terms, note, save)
            if ends:
                return

    def _iterates(self, scale: Scale, start: Picture, iterations: int, memory: Memory | None) -> Iterator[Iterate[Losses]]:
        self._aims = self._targets.aims(scale)

        def evaluate(x: Vector) -> Evaluation[Losses]:
            return self._objective.evaluate(x, self._aims, self._commission.params, [style.weight for style in self._commission.styles])

        params = self._commission.params
        if params.optimiser == "adam":
            rate = params.learning_rate
            return adam(evaluate, start.ravel(), iterations, learning_rate=rate, memory=memory, changed=self._follow)
        return lbfgs(evaluate, start.ravel(), iterations, history=self._history, memory=memory, changed=self._follow)

    def _follow(self) -> bool:
        """Take over what is wanted now; tell whether that is something else than before."""
        if self._steer is None:
            return False
        wanted = self._steer()
        settings = settings_of(wanted)
        if settings == self._settings:
            return False
        self._commission, self._settings, self._has_changed = wanted, settings, True
        return True
