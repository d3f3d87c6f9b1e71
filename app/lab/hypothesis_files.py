"""A hypothesis report as files to take away: JSON, and a CSV table of every cell and effect."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.hypothesis import HypothesisReport
from app.core.report import Figure
from app.lab.report_files import Cell, table

_HEADER = ("part", "trial", "augmentation", "contrast", "against", "metric", "value", "low", "high", "interval", "outcome", "differing")


def to_json(report: HypothesisReport) -> bytes:
    """Return the whole report; ``from_json`` gives it back."""
    return report.model_dump_json().encode()


def from_json(data: bytes) -> HypothesisReport:
    return HypothesisReport.model_validate_json(data)


def grid_csv(report: HypothesisReport) -> bytes:
    """Return one row for each figure: cells, their differences to (none, none), and what rows and columns do."""
    return table(_HEADER, _rows(report))


def _rows(report: HypothesisReport) -> Iterator[tuple[Cell, ...]]:
    for cell in report.cells:
        for one in cell.results:
            named: tuple[str, str, str] = (one.trial, cell.augmentation, cell.contrast)
            yield ("cell", *named, "", "accuracy", *_numbers(one.accuracy), "", None)
            yield ("cell", *named, "", "balanced_accuracy", *_numbers(one.balanced), "", None)
            yield ("difference", *named, "none, none", "accuracy", *_numbers(one.difference), one.outcome, one.differing)
            yield ("difference", *named, "none, none", "balanced_accuracy", *_numbers(one.balanced_difference), "", None)
    for effect in report.effects:
        names = ("style" if effect.side == "contrast_with_style" else "", effect.changed)
        row, column = names[::-1] if effect.side == "augmentation" else names
        named = (effect.trial, row, column)
        yield ("effect", *named, effect.against, "accuracy", *_numbers(effect.difference), effect.outcome, effect.differing)
        yield ("effect", *named, effect.against, "balanced_accuracy", *_numbers(effect.balanced_difference), "", None)


def _numbers(figure: Figure) -> tuple[Cell, ...]:
    between = figure.interval
    return (figure.value, between.low, between.high, between.method) if between else (figure.value, None, None, None)
