"""An experiment's classifier as a detector: the same file and the same exact evidence as the shipped one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError
from app.core.experiments import ExperimentSpec
from app.core.features import FEATURES
from app.core.report import Report
from app.core.verdicts import Band
from workers.verdict.classifier import fit
from workers.verdict.detector import Detector, to_bytes
from workers.verdict.neighbours import neighbourhood
from workers.verdict.table import ORIGINAL, STYLISED, Table

# Of each class, the share of held-out pictures that may lie beyond the band on the wrong side.
_WRONG = 0.05
_NEIGHBOURS = 4000


def can_be_kept(spec: ExperimentSpec) -> bool:
    """Tell whether the classifier is linear in sums over positions, so that its evidence can be shown exactly."""
    return spec.classify == "features" and not spec.shuffle_labels


def detector_of(
    table: Table, spec: ExperimentSpec, report: Report, largest: int | None = None, on_solved: Callable[[], None] = lambda: None
) -> bytes:
    """Return the file of a detector fitted to all pictures of an experiment.

    Its threshold and its band of uncertainty come from the held-out pictures of the headline
    split, which the runs there had not seen.

    Args:
        table, spec, report: of the experiment.
        largest: longer side to which its pictures were reduced, which the detector does to what it judges; see ``table_of``.
        on_solved: see ``classifier.fit``.

    Raises:
        InputError: the classifier saw embeddings, or shuffled labels.
    """
    if not can_be_kept(spec):
        raise InputError(f"Only a classifier on features can be a detector. Received: {spec.classify}.", field="classify")
    features = FEATURES[spec.features]
    linear = fit(table.features, table.label, table.content, spec.classifier, spec.seed, on_solved=on_solved)
    centre, weights = linear.mean.astype(np.float32), linear.weights.astype(np.float32)
    # What rounding the centre takes from the logit goes to the bias.
    bias = float(linear.bias - (linear.mean - centre) @ linear.weights)
    band, near, facts = band_of(report, linear.threshold), _near(table, spec.seed), _facts(table, report)
    return to_bytes(Detector(features, weights, centre, bias, band, near, facts, largest=largest))


def band_of(report: Report, threshold: float) -> Band:
    """Return the band within which at most one in twenty held-out pictures of either class lies on the wrong side beyond it."""
    runs = report.split(report.headline).runs
    label = np.array([report.pictures[place].label for run in runs for place in run.test_pictures])
    probability = np.array([one for run in runs for one in run.probabilities])
    low = min(threshold, float(np.quantile(probability[label == STYLISED], _WRONG)))
    high = max(threshold, float(np.quantile(probability[label == ORIGINAL], 1 - _WRONG)))
    return Band(low=low, threshold=threshold, high=high)


def _near(table: Table, seed: int) -> Any:
    """Return the neighbourhood of most contents, with its limit set by the pictures of the others; None for too few."""
    contents = np.random.default_rng(seed).permutation(np.unique(table.content))
    others = np.isin(table.content, contents[: len(contents) // 5])
    kept: NDArray[np.intp] = np.flatnonzero(~others)[:_NEIGHBOURS]
    if not others.any() or len(kept) < 10:
        return None
    return neighbourhood(table.features[kept], tuple(map(str, table.name[kept])), table.label[kept] == STYLISED, table.features[others])


def _facts(table: Table, report: Report) -> dict[str, Any]:
    auroc = report.split(report.headline).test["auroc"]
    return {
        "made_by": "an experiment of the Lab",
        "pictures": len(table),
        "headline": report.headline,
        "auroc": auroc.value,
        "generators": sorted(set(map(str, table.generator)) - {""}),
    }
