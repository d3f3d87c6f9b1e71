"""The model card's figures: a detector on described pictures, each figure with its interval and target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.report import Interval
from app.core.verdicts import Band
from workers.verdict.intervals import Resampler, all_right, none_right, percentile
from workers.verdict.metrics import measure
from workers.verdict.training import CLEAN, ORIGINALS, PENALTY, Bank, fit, shares

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

# Issue 3, section 4.
AUROC_TARGET, AUROC_TARGET_ELSEWHERE = 0.99, 0.95
RECALL_TARGET, FALSE_TARGET, CALIBRATION_TARGET = 0.9, 0.05, 0.05
OURS = ("adain", "optimiser")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure.

    Attributes:
        group: of pictures; a generator's AUROC is against all originals seen in the same view.
        view: how the pictures were seen.
        figure: ``AUROC``, ``called stylised``, ``uncertain``, or ``calibration error``.
        value: 0 to 1.
        interval: 95 %.
        count: pictures of the group.
        target: in words, or empty.
        met: whether the value meets it; None without one.
    """

    group: str
    view: str
    figure: str
    value: float
    interval: Interval | None
    count: int
    target: str = ""
    met: bool | None = None


def lines(logits: Array, bank: Bank, band: Band, *, resamples: int = 1000) -> Iterator[Line]:
    """Yield every figure of every view.

    Args:
        logits: (n,) of the bank's pictures, calibrated.
        bank: pictures of all views, originals and stylised.
        band: the fixed decisions.
        resamples: behind each interval, over contents × styles.
    """
    resampler = Resampler(bank.content, bank.style, resamples)
    probability = 0.5 * (1 + np.tanh(0.5 * logits))
    for view in dict.fromkeys(bank.view.tolist()):
        originals = np.flatnonzero((bank.view == view) & ~bank.stylised)
        for group in dict.fromkeys(bank.group[bank.view == view].tolist()):
            rows = np.flatnonzero((bank.view == view) & (bank.group == group))
            if group not in ORIGINALS:
                yield _auroc(group, view, probability, bank, np.concatenate([originals, rows]), resampler)
            called = (probability[rows] > band.threshold).astype(float)
            yield _share(group, view, "called stylised", called, rows, resampler)
            unsure = ((probability[rows] >= band.low) & (probability[rows] <= band.high)).astype(float)
            yield _share(group, view, "uncertain", unsure, rows, resampler)
        yield _calibration(view, probability, bank, np.flatnonzero(bank.view == view), resampler)


def auroc(group: str, logits: Array, bank: Bank, view: str = CLEAN, *, resamples: int = 1000) -> Line:
    """Return the AUROC of one group against all originals of a view."""
    rows = np.flatnonzero((bank.view == view) & ((bank.group == group) | ~bank.stylised))
    return _auroc(group, view, 0.5 * (1 + np.tanh(0.5 * logits)), bank, rows, Resampler(bank.content, bank.style, resamples))


def left_out(bank: Bank, test: Bank, *, penalty: float = PENALTY) -> list[Line]:
    """Return, for each of our generators, the AUROC on its test pictures of a score fitted without any picture of it.

    Args:
        bank: the training part.
        test: the test part.
    """
    found = []
    for name in sorted(set(bank.group.tolist()).difference(ORIGINALS)):
        weights, bias = fit(bank.where(bank.group != name), penalty)
        line = auroc(name, np.asarray(test.features @ weights + bias, np.float64), test)
        met = line.value >= AUROC_TARGET_ELSEWHERE
        found.append(replace(line, view=f"{CLEAN}, trained without {name}", target=f"at least {AUROC_TARGET_ELSEWHERE:g}", met=met))
    return found


def as_dict(line: Line) -> dict[str, Any]:
    """Return the line for JSON."""
    return {**asdict(line), "interval": line.interval.model_dump() if line.interval else None}


def _auroc(group: str, view: str, probability: Array, bank: Bank, rows: Rows, resampler: Resampler) -> Line:
    label = bank.stylised[rows].astype(np.int64)

    def value(weights: NDArray[np.floating] | None) -> Array:
        return measure(label, probability[rows], probability[rows] > 0.5, weights)["auroc"]

    least = AUROC_TARGET if group in OURS and view == CLEAN else AUROC_TARGET_ELSEWHERE
    found = float(value(None)[0])
    return Line(
        group, view, "AUROC", found, _interval(value, found, rows, resampler), int(label.sum()), f"at least {least:g}", bool(found >= least)
    )


def _share(group: str, view: str, figure: str, hits: Array, rows: Rows, resampler: Resampler) -> Line:
    def value(weights: NDArray[np.floating] | None) -> Array:
        weights = np.ones((1, len(rows))) if weights is None else weights
        return np.asarray((weights @ hits) / weights.sum(axis=1), np.float64)

    found, target, met = float(hits.mean()), "", None
    if figure == "called stylised" and view == CLEAN:
        if group in OURS:
            target, met = f"at least {RECALL_TARGET:g}", found >= RECALL_TARGET
        elif group in ("photograph", "painting"):
            target, met = f"at most {FALSE_TARGET:g}", found <= FALSE_TARGET
    return Line(group, view, figure, found, _interval(value, found, rows, resampler), len(rows), target, met)


def _calibration(view: str, probability: Array, bank: Bank, rows: Rows, resampler: Resampler) -> Line:
    """Every group with its share, so that the many photographs do not decide alone."""
    label, own = bank.stylised[rows].astype(np.int64), shares(bank.group[rows])

    def value(weights: NDArray[np.floating] | None) -> Array:
        both = own[None] if weights is None else own * weights
        return measure(label, probability[rows], probability[rows] > 0.5, both)["ece"]

    found = float(value(None)[0])
    interval = _interval(value, found, rows, resampler)
    return Line(
        "all", view, "calibration error", found, interval, len(rows), f"at most {CALIBRATION_TARGET:g}", found <= CALIBRATION_TARGET
    )


def _interval(value: Callable[[NDArray[np.floating]], Array], found: float, rows: Rows, resampler: Resampler) -> Interval | None:
    if found == 1.0:
        return all_right(resampler.clusters(rows))
    if found == 0.0:
        return none_right(resampler.clusters(rows))
    return percentile(np.concatenate([value(weights) for weights in resampler.weights(rows)]))


def markdown(found: list[Line]) -> str:
    """Return the lines as a Markdown table."""
    rows = ["| pictures | seen | figure | value | 95 % interval | number | target | met |", "|---|---|---|---|---|---|---|---|"]
    for line in found:
        interval = f"{line.interval.low:.3f} to {line.interval.high:.3f}" if line.interval else ""
        met = {True: "yes", False: "**no**", None: ""}[line.met]
        rows.append(
            f"| {line.group} | {line.view} | {line.figure} | {line.value:.3f} | {interval} | {line.count} | {line.target} | {met} |"
        )
    return "\n".join(rows)
