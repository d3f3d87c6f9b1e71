"""Scored pictures to the records of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.report import METRICS, Figure, Figures, Group, MetricName, Part
from workers.verdict.intervals import Resampler, all_right, none_right, percentile
from workers.verdict.metrics import Array, confusion, measure, reliability, roc
from workers.verdict.table import ORIGINAL, STYLISED, Table

_DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Pictures of a table with a classifier's answers.

    Attributes:
        rows: (n,) places in the table.
        probability: (n,) of stylised.
        called: (n,) whether called stylised.
    """

    rows: NDArray[np.intp]
    probability: Array
    called: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Every metric of some scored pictures: its value, and its values under the bootstrap's weights."""

    values: dict[MetricName, float]
    replicates: dict[MetricName, Array]
    scored: Scored


def measured(table: Table, scored: Scored, resampler: Resampler) -> Measured:
    """Measure scored pictures as they are and under every resampling."""
    label = table.label[scored.rows]
    once = measure(label, scored.probability, scored.called)
    blocks = [measure(label, scored.probability, scored.called, weights) for weights in resampler.weights(scored.rows)]
    return Measured(
        {name: float(values[0]) for name, values in once.items()},
        {name: np.concatenate([block[name] for block in blocks]) for name in once},
        scored,
    )


def figures(table: Table, several: Sequence[Measured], resampler: Resampler) -> tuple[Figures, dict[MetricName, Array]]:
    """Return the mean of each metric over runs with its interval, and the bootstrap's values of that mean.

    The runs are resampled alike, so that pictures which several runs have in common count once.
    """
    rows = np.unique(np.concatenate([one.scored.rows for one in several]))
    clusters = {label: resampler.clusters(rows[table.label[rows] == label]) for label in (ORIGINAL, STYLISED)}
    found: Figures = {}
    replicates = {}
    for name in METRICS:
        values = np.array([one.values[name] for one in several])
        defined = np.isfinite(values)
        if not defined.any():
            found[name] = Figure(value=None)
            continue
        used = [one for one, has in zip(several, defined, strict=True) if has]
        replicates[name] = np.mean([one.replicates[name] for one in used], axis=0)
        value = float(values[defined].mean())
        if METRICS[name].best == 1 and value == 1:
            # Precision and F1 are one only when both classes are right, and AUROC when every pair is.
            tried = {"recall_original": clusters[ORIGINAL], "recall_stylised": clusters[STYLISED]}.get(name, min(clusters.values()))
            found[name] = Figure(value=1.0, interval=all_right(tried))
        elif name in ("recall_original", "recall_stylised") and value == 0:
            found[name] = Figure(value=0.0, interval=none_right(clusters[ORIGINAL if name == "recall_original" else STYLISED]))
        else:
            found[name] = Figure(value=round(value, _DIGITS), interval=percentile(replicates[name]))
    return found, replicates


def groups(table: Table, several: Sequence[Scored], by: NDArray[np.str_], resampler: Resampler | None = None) -> tuple[Group, ...]:
    """Return the recall of stylised pictures by ``by`` (n,), over all runs together, with an interval where a resampler is given."""
    rows, called = (np.concatenate(arrays) for arrays in zip(*((one.rows, one.called) for one in several), strict=True))
    stylised = table.label[rows] == STYLISED
    found = []
    for name in np.unique(by[rows[stylised]]):
        ours = stylised & (by[rows] == name) & (name != "")
        if not ours.any():
            continue
        recall = float(called[ours].mean())
        interval = None
        if resampler and recall in (0, 1):
            interval = (all_right if recall else none_right)(len(np.unique(resampler.content[rows[ours]])))
        elif resampler:
            blocks = [weights @ called[ours] / weights.sum(axis=1) for weights in resampler.weights(rows[ours])]
            interval = percentile(np.concatenate(blocks))
        count = len(np.unique(rows[ours]))
        found.append(Group(name=str(name), pictures=count, recall=round(recall, _DIGITS), interval=interval))
    return tuple(found)


def worst(found: Sequence[Group]) -> str | None:
    """Return the group of least recall, of several the one with most pictures."""
    return min(found, key=lambda one: (one.recall, -one.pictures, one.name)).name if found else None


def part(table: Table, one: Measured, resampler: Resampler) -> Part:
    """Return the record of one part of one run."""
    scored = one.scored
    label = table.label[scored.rows]
    styles = groups(table, [scored], table.style)
    return Part(
        pictures=len(label),
        originals=int((label == ORIGINAL).sum()),
        stylised=int((label == STYLISED).sum()),
        figures=figures(table, [one], resampler)[0],
        confusion=confusion(label, scored.called),
        roc=roc(label, scored.probability),
        reliability=reliability(label, scored.probability),
        styles=styles,
        generators=groups(table, [scored], table.generator),
        worst_style=worst(styles),
    )
