"""All runs of one split as one record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.core.experiments import SPLITS
from app.core.report import Invariance, MetricName, Permutation, Run, SplitReport
from workers.verdict.intervals import Resampler
from workers.verdict.invariance import invariance
from workers.verdict.metrics import confusion, reliability
from workers.verdict.parts import figures, groups, measured, part, worst
from workers.verdict.runs import Made
from workers.verdict.splits import NOTES
from workers.verdict.table import Table

# Metrics whose difference between two experiments gets an interval.
COMPARED: tuple[MetricName, ...] = ("auroc", "balanced_accuracy", "recall_original", "recall_stylised", "brier", "ece")


def split_report(table: Table, runs: Sequence[Made], resampler: Resampler, permutation: Permutation | None) -> SplitReport:
    """Return the record of a split: each run, and their mean."""
    tests = [measured(table, one.test, resampler) for one in runs]
    trains = [measured(table, one.train, resampler) for one in runs]
    kept = [invariance(one.embedding, table.label[one.test.rows], table.content[one.test.rows]) for one in runs]
    test_figures, replicates = figures(table, tests, resampler)
    styles, generators = (groups(table, [one.test for one in runs], by, resampler) for by in (table.style, table.generator))
    label, probability, called = (
        np.concatenate(arrays)
        for arrays in zip(*((table.label[one.test.rows], one.test.probability, one.test.called) for one in runs), strict=True)
    )
    name = runs[0].plan.split
    return SplitReport(
        name=name,
        title=SPLITS[name],
        note=NOTES[name],
        runs=tuple(
            Run(
                seed=one.plan.seed,
                held_out=one.plan.fold.held_out,
                dropped=one.plan.fold.dropped,
                regularisation=one.classifier.regularisation,
                threshold=round(one.classifier.threshold, 6),
                train=part(table, train, resampler),
                test=part(table, test, resampler),
                invariance=still,
                test_pictures=tuple(map(int, one.test.rows)),
                probabilities=tuple(round(float(value), 6) for value in one.test.probability),
            )
            for one, train, test, still in zip(runs, trains, tests, kept, strict=True)
        ),
        train=figures(table, trains, resampler)[0],
        test=test_figures,
        styles=styles,
        generators=generators,
        worst_style=worst(styles),
        reliability=reliability(label, probability),
        confusion=confusion(label, called),
        invariance=Invariance(
            retrieval=_mean([one.retrieval for one in kept]),
            chance=_mean([one.chance for one in kept]),
            alignment=_mean([one.alignment for one in kept]),
        ),
        permutation=permutation,
        replicates={metric: tuple(round(float(value), 4) for value in replicates[metric]) for metric in COMPARED if metric in replicates},
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 6) if known else None
