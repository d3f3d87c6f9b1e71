"""The hypothesis of the paper, tested: does style transfer with contrastive learning make classification better?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from app.core.hypothesis import (
    AUGMENTATIONS,
    CONTRASTS,
    AugmentationName,
    Budget,
    ContrastName,
    HypothesisReport,
    HypothesisSpec,
    HypothesisStage,
    HypothesisStep,
    OnHypothesisStep,
)
from app.core.progress import StopRequested
from workers.study import descriptions
from workers.study.budget import rations
from workers.study.cells import Answered, Described, train_cell
from workers.study.conclusion import conclude
from workers.study.describer import Describer
from workers.study.division import Division, divide
from workers.study.grid import Grid, grid
from workers.study.labelled import Labelled, StylePicture, choose
from workers.study.painter import Painter

# A row of the grid after another.
CELLS: tuple[tuple[AugmentationName, ContrastName], ...] = tuple(product(AUGMENTATIONS, CONTRASTS))
# What training a cell costs, in descriptions of a picture, with and without a contrastive stage.
_HEAD, _PLAIN = 60.0, 15.0


@dataclass
class Seeds:
    """What the seeds that are finished found."""

    divisions: list[Division] = field(default_factory=list)
    answers: list[dict[tuple[AugmentationName, ContrastName], Answered]] = field(default_factory=list)


def run(
    pictures: Sequence[Labelled],
    seen: Sequence[StylePicture],
    unseen: Sequence[StylePicture],
    spec: HypothesisSpec,
    describer: Describer,
    painter: Painter,
    on_step: OnHypothesisStep,
    *,
    folder: Path | None = None,
) -> HypothesisReport:
    """Train every cell of the grid with every seed, and test it on clean pictures, unseen styles and other domains.

    Args:
        pictures: labelled, of one domain or several; one of them is trained on.
        seen, unseen: styles to train with, and others that only test pictures are painted in.
        spec: see ``HypothesisSpec``.
        describer: turns pictures into features; one that remembers makes a second run quick.
        painter: stylises.
        on_step: told of each step. May raise StopRequested: before the first seed is finished it
            passes through, afterwards the report tells what the finished seeds found.
        folder: where features of jittered and stylised pictures are remembered; None forgets them.

    Raises:
        InputError: too few pictures, classes or styles.
    """
    chosen = choose(pictures, spec)
    teller = _Teller(on_step, *descriptions.planned(chosen, spec), spec.seeds)
    teller.tell("prepare")
    styles = descriptions.styles(seen, unseen, spec.size)
    described, left_out = descriptions.describe(chosen, styles, spec, describer, painter, folder, teller.described)
    seeds, stopped = _trained(described, spec, teller)
    found = grid(described, seeds.divisions, seeds.answers, chosen.train_domain, spec.resamples)
    report = HypothesisReport(
        spec=spec,
        train_domain=chosen.train_domain,
        classes=tuple(chosen.classes),
        seen=tuple(one.name for one in styles.seen),
        unseen=tuple(one.name for one in styles.unseen),
        budget=_budget(seeds.divisions[0], spec),
        trials=found.trials,
        cells=found.cells,
        effects=found.effects,
        notes=(*chosen.notes, *styles.notes, *left_out, *_notes(found, spec, len(seeds.answers))),
        conclusion=conclude(found.cells, found.effects, found.trials),
        seeds=tuple(range(spec.seed, spec.seed + len(seeds.answers))),
        stopped=stopped,
        seconds=round(teller.elapsed, 3),
    )
    if not stopped:
        teller.finish()
    return report


def _trained(described: Described, spec: HypothesisSpec, teller: _Teller) -> tuple[Seeds, bool]:
    """Return what each seed found, seed by seed so that all cells have the same ones, and whether somebody ended it."""
    found = Seeds()
    try:
        for seed in range(spec.seed, spec.seed + spec.seeds):
            division = divide(described.klass, described.cluster, spec.test_share, seed)
            answers = {}
            for row, column in CELLS:
                teller.tell("train", seed, row, column)
                answers[row, column] = train_cell(described, division, spec, row, column, seed)
                teller.trained(column)
            found.divisions.append(division)
            found.answers.append(answers)
    except StopRequested:
        if not found.answers:
            raise
        return found, True
    return found, False


def _budget(division: Division, spec: HypothesisSpec) -> Budget:
    given = rations(len(division.fit), spec.batch_size)
    return Budget(
        fitted=len(division.fit),
        validated=len(division.validate),
        tested=len(division.test),
        steps=spec.rounds * given.batches,
        vectors=spec.rounds * given.vectors,
        batch=round(given.vectors / given.batches),
    )


def _notes(found: Grid, spec: HypothesisSpec, seeds: int) -> list[str]:
    notes = []
    if seeds < 5:
        notes.append(
            f"Only {seeds} {'seed' if seeds == 1 else 'seeds'}: the intervals know little of how much one training differs from another."
        )
    for cell in found.cells:
        if cell.collapsed:
            name = f"{AUGMENTATIONS[cell.augmentation]} with {CONTRASTS[cell.contrast]}"
            notes.append(f"{name}: the embeddings collapsed in {cell.collapsed} of {seeds} seeds.")
    return notes


class _Teller:
    """Puts the parts of the work together as one, with the time it takes."""

    def __init__(self, on_step: OnHypothesisStep, pictures: int, cost: float, seeds: int) -> None:
        self._on_step, self._pictures, self._describing = on_step, pictures, cost
        self._planned = seeds * len(CELLS)
        self._training = seeds * sum(_PLAIN if column == "none" else _HEAD for _, column in CELLS)
        self._began = time.monotonic()
        self._began_training: float | None = None
        self._described, self._runs = 0, 0
        self._cost, self._trained = 0.0, 0.0

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    def described(self, done: int, cost: float) -> None:
        self._described, self._cost = done, cost
        self.tell("describe")

    def trained(self, contrast: ContrastName) -> None:
        self._runs += 1
        self._trained += _PLAIN if contrast == "none" else _HEAD

    def finish(self) -> None:
        self._cost, self._trained = self._describing, self._training
        try:
            self.tell("finish")
        except StopRequested:
            # Everything is done: there is nothing to stop.
            return

    def tell(
        self,
        stage: HypothesisStage,
        seed: int | None = None,
        augmentation: AugmentationName | None = None,
        contrast: ContrastName | None = None,
    ) -> None:
        if stage == "train":
            self._began_training = self._began_training or time.monotonic()
            # Pictures that were left out are not to come any more.
            self._cost = self._describing
        fraction = min((self._cost + self._trained) / (self._describing + self._training), 1.0)
        remaining = 0.0 if stage == "finish" else self._remaining()
        self._on_step(
            HypothesisStep(
                stage,
                fraction,
                self.elapsed,
                remaining,
                self._described,
                self._pictures,
                self._runs,
                self._planned,
                seed,
                augmentation,
                contrast,
            )
        )

    def _remaining(self) -> float | None:
        """Training is measured by its own pace; before it, by that of describing."""
        if self._trained and self._began_training is not None:
            return (time.monotonic() - self._began_training) / self._trained * (self._training - self._trained)
        if self._cost < 0.02 * self._describing or self._began_training is not None:
            return None
        return self.elapsed / self._cost * (self._describing - self._cost + self._training)
