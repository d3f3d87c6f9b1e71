"""What the cells' answers come to: accuracies, and their differences with paired intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.hypothesis import LEAST_DIFFERENT, Outcome
from app.core.report import Figure
from workers.verdict.intervals import Resampler, all_right, percentile

Array = NDArray[np.float64]
_DIGITS = 6


@dataclass(frozen=True)
class Answers:
    """Whether each cell gives each picture its class.

    Attributes:
        right: bool (cells, seeds, n).
        tried: bool (seeds, n), which pictures a seed tests on.
        klass: (n,).
        content, style: (n,) names of what is resampled together; the style "" is none.
    """

    right: NDArray[np.bool_]
    tried: NDArray[np.bool_]
    klass: NDArray[np.intp]
    content: NDArray[np.str_]
    style: NDArray[np.str_]


@dataclass(frozen=True)
class Scores:
    """Accuracy and mean class recall, as measured and resampled.

    Attributes:
        accuracy, balanced: (cells,).
        accuracies, balances: (resamples, cells); each row is one resampling, the same for all cells.
        runs: (cells, seeds) accuracies.
        clusters: pictures, or styles if there are fewer, that count as independent.
        hits: (cells, contents) right answers to each content, over all seeds.
    """

    accuracy: Array
    balanced: Array
    accuracies: Array
    balances: Array
    runs: Array
    clusters: int
    hits: Array


def scores(answers: Answers, resamples: int) -> Scores:
    """Measure all cells on one trial.

    A resampling reweights contents, styles and seeds, each with weights of its own (Owen and Eckles,
    2012, see ``Resampler``). All cells are reweighted alike: what makes a resampling hard for
    everybody cancels in a difference.
    """
    everything = np.arange(len(answers.klass))
    resampler = Resampler(answers.content, answers.style, resamples)
    once = np.ones((1, len(everything)), np.float32)
    seeds = len(answers.tried)
    accuracy, balanced = _measure(answers, once, np.ones((1, seeds)))
    by_seed = np.random.default_rng([seeds, resamples]).standard_exponential((resamples, seeds))
    blocks, start = [], 0
    for weights in resampler.weights(everything):
        blocks.append(_measure(answers, weights, by_seed[start : start + len(weights)]))
        start += len(weights)
    accuracies, balances = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    runs = np.array([[cell[seed][answers.tried[seed]].mean() for seed in range(seeds)] for cell in answers.right])
    contents = np.unique(answers.content, return_inverse=True)[1]
    right = (answers.right & answers.tried).sum(axis=1)
    hits = np.array([np.bincount(contents, weights=one) for one in right])
    return Scores(accuracy[0], balanced[0], accuracies, balances, runs, resampler.clusters(everything), hits)


def _measure(answers: Answers, weights: NDArray[np.float32], by_seed: Array) -> tuple[Array, Array]:
    """Return (b, cells) accuracies and mean recalls under (b, n) weights of pictures and (b, seeds) of seeds."""
    cells, seeds, _ = answers.right.shape
    classes = np.unique(answers.klass)
    hits = np.empty((len(weights), len(classes), cells, seeds))
    tries = np.empty((len(weights), len(classes), 1, seeds))
    for place, one in enumerate(classes):
        ours = answers.klass == one
        tried = answers.tried[:, ours]
        right = (answers.right[:, :, ours] & tried).reshape(cells * seeds, -1)
        part = weights[:, ours].astype(np.float64)
        hits[:, place] = (part @ right.T).reshape(-1, cells, seeds)
        tries[:, place, 0] = part @ tried.T
    weighed = by_seed[:, None, :]
    accuracy = (hits.sum(axis=1) * weighed).sum(axis=-1) / (tries.sum(axis=1) * weighed).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hits / tries
    # A class that a seed does not test has no recall, in any cell.
    balanced = np.nanmean(recall, axis=1)
    return accuracy, (balanced * weighed).sum(axis=-1) / weighed.sum(axis=-1)


def figure(value: float, resampled: Array, clusters: int) -> Figure:
    """Return a share with its interval."""
    if value == 1:
        return Figure(value=1.0, interval=all_right(clusters))
    return Figure(value=round(float(value), _DIGITS), interval=percentile(resampled))


def difference(values: Array, resampled: Array, changed: Sequence[int], against: Sequence[int]) -> Figure:
    """Return the mean over cells of ``changed`` less ``against``, cell by cell, with its paired interval.

    Args:
        values: (cells,).
        resampled: (resamples, cells).
        changed, against: places of as many cells each.
    """
    ours, theirs = list(changed), list(against)
    found = float((values[ours] - values[theirs]).mean())
    return Figure(value=round(found, _DIGITS), interval=percentile((resampled[:, ours] - resampled[:, theirs]).mean(axis=1)))


def outcome(found: Figure, differing: int) -> Outcome:
    """Return whether a difference is told from none: its interval leaves out zero, and enough pictures bear it.

    A handful of pictures that all speak for one side leave no resampling on the other, so that the
    interval alone would call any of them an effect.

    Args:
        differing: contents answered differently, see ``differing``.
    """
    if found.interval is None or found.interval.low <= 0 <= found.interval.high or differing < LEAST_DIFFERENT:
        return "unclear"
    return "better" if found.interval.low > 0 else "worse"


def differing(hits: Array, changed: Sequence[int], against: Sequence[int]) -> int:
    """Return how many contents are answered right more often, or less often, by ``changed`` than by ``against``; hits are (cells, contents)."""
    return int(np.count_nonzero(hits[list(changed)].sum(axis=0) - hits[list(against)].sum(axis=0)))
