"""The answers of all cells and seeds as figures: the grid, its rows and its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.hypothesis import (
    AUGMENTATIONS,
    CONTRASTS,
    AugmentationName,
    Cell,
    ContrastName,
    Effect,
    Result,
    Side,
    Trial,
)
from workers.study.cells import Answered, Described
from workers.study.differences import Answers, Scores, difference, differing, figure, outcome, scores
from workers.study.division import Division

Place = tuple[AugmentationName, ContrastName]
_BASE: Place = ("none", "none")
_DIGITS = 6
# Which rows, or columns, stand beside each other.
_ROWS: tuple[tuple[AugmentationName, AugmentationName], ...] = (("style", "none"), ("style", "jitter"), ("jitter", "none"))
_COLUMNS: tuple[tuple[ContrastName, ContrastName], ...] = (("nt_xent", "none"), ("supcon", "none"), ("supcon", "nt_xent"))


@dataclass(frozen=True)
class Grid:
    trials: tuple[Trial, ...]
    cells: tuple[Cell, ...]
    effects: tuple[Effect, ...]


def grid(
    described: Described, divisions: Sequence[Division], answers: Sequence[dict[Place, Answered]], train_domain: str, resamples: int
) -> Grid:
    """Return the figures of all cells on all trials.

    Args:
        described: the pictures.
        divisions, answers: one a seed; every seed has the same cells.
        train_domain: its name, for titles.
        resamples: bootstrap samples behind each interval.
    """
    places = list(answers[0])
    trials, measured = [], {}
    for trial, asked in _trials(described, divisions, answers, train_domain):
        trials.append(trial)
        measured[trial.name] = scores(asked, resamples)
    cells = tuple(
        Cell(
            augmentation=place[0],
            contrast=place[1],
            results=tuple(_result(name, found, number, places.index(_BASE)) for name, found in measured.items()),
            training=round(float(np.mean([one[place].training for one in answers])), _DIGITS),
            effective_rank=_mean([one[place].effective_rank for one in answers]),
            collapsed=sum(one[place].collapsed for one in answers),
        )
        for number, place in enumerate(places)
    )
    effects = tuple(effect for name, found in measured.items() for effect in _effects(name, found, places))
    return Grid(tuple(trials), cells, effects)


def _trials(
    described: Described, divisions: Sequence[Division], answers: Sequence[dict[Place, Answered]], train_domain: str
) -> list[tuple[Trial, Answers]]:
    tested = np.unique(np.concatenate([one.test for one in divisions]))
    tried = np.array([np.isin(tested, one.test) for one in divisions])
    content, style = described.cluster[tested].astype(str), described.style[tested]
    klass = described.klass[tested]
    of = f" of {train_domain}" if train_domain else ""

    def home(pick: Callable[[Answered], NDArray[np.bool_]], styles: NDArray[np.str_]) -> Answers:
        right = np.zeros((len(answers[0]), len(answers), len(tested)), bool)
        for seed, one in enumerate(answers):
            for number, answered in enumerate(one.values()):
                right[number, seed, tried[seed]] = pick(answered)
        return Answers(right, tried, klass, content, styles)

    plain = np.full(len(tested), "")
    found = [
        (
            Trial(name="clean", kind="clean", title=f"Clean pictures{of}", pictures=len(tested), styles=0),
            home(lambda one: one.clean, plain),
        ),
        (
            Trial(name="stylised", kind="stylised", title="The same in unseen styles", pictures=len(tested), styles=len(np.unique(style))),
            home(lambda one: one.unseen, style),
        ),
    ]
    for name, away in described.away.items():
        right = np.array([[one[place].away[name] for one in answers] for place in answers[0]])
        count = len(away.klass)
        asked = Answers(right, np.ones((len(answers), count), bool), away.klass, away.cluster.astype(str), np.full(count, ""))
        found.append((Trial(name=f"domain:{name}", kind="domain", title=f"Pictures of {name}", pictures=count, styles=0), asked))
    return found


def _result(trial: str, found: Scores, number: int, base: int) -> Result:
    gained = difference(found.accuracy, found.accuracies, [number], [base])
    count = differing(found.hits, [number], [base])
    return Result(
        trial=trial,
        accuracy=figure(found.accuracy[number], found.accuracies[:, number], found.clusters),
        balanced=figure(found.balanced[number], found.balances[:, number], found.clusters),
        difference=gained,
        balanced_difference=difference(found.balanced, found.balances, [number], [base]),
        outcome=outcome(gained, count),
        runs=tuple(round(float(value), _DIGITS) for value in found.runs[number]),
        differing=count,
    )


def _effects(trial: str, found: Scores, places: Sequence[Place]) -> list[Effect]:
    def effect(side: Side, changed: str, against: str, ours: Sequence[Place], theirs: Sequence[Place]) -> Effect:
        rows = [places.index(place) for place in ours], [places.index(place) for place in theirs]
        gained = difference(found.accuracy, found.accuracies, *rows)
        count = differing(found.hits, *rows)
        return Effect(
            side=side,
            changed=changed,
            against=against,
            trial=trial,
            difference=gained,
            balanced_difference=difference(found.balanced, found.balances, *rows),
            outcome=outcome(gained, count),
            differing=count,
        )

    effects = [effect("augmentation", a, b, [(a, column) for column in CONTRASTS], [(b, column) for column in CONTRASTS]) for a, b in _ROWS]
    effects += [effect("contrast", a, b, [(row, a) for row in AUGMENTATIONS], [(row, b) for row in AUGMENTATIONS]) for a, b in _COLUMNS]
    effects += [effect("contrast_with_style", a, b, [("style", a)], [("style", b)]) for a, b in _COLUMNS]
    return effects


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 3) if known else None
