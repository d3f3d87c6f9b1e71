"""A report as files to take away: JSON, and two CSV tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from app.core.report import METRICS, Figure, Figures, Report

Cell = str | int | float | None


def to_json(report: Report) -> bytes:
    """Return the whole report; ``from_json`` gives it back."""
    return report.model_dump_json().encode()


def from_json(data: bytes) -> Report:
    return Report.model_validate_json(data)


def metrics_csv(report: Report) -> bytes:
    """Return one row for each split, part and metric: the mean over all runs first (seed empty), then each run."""
    return table(("split", "seed", "held_out", "part", "metric", "value", "low", "high", "interval"), _metric_rows(report))


def scores_csv(report: Report) -> bytes:
    """Return one row for each test picture of each run: its probability of stylised and what it was called."""
    header = ("split", "seed", "held_out", "picture", "label", "content", "style", "generator", "probability", "called")
    return table(header, _score_rows(report))


def _metric_rows(report: Report) -> Iterator[tuple[Cell, ...]]:
    for split in report.splits:
        for part, figures in (("train", split.train), ("test", split.test)):
            yield from ((split.name, None, "", part, *cells) for cells in _cells(figures))
        for run in split.runs:
            for part, figures in (("train", run.train.figures), ("test", run.test.figures)):
                yield from ((split.name, run.seed, run.held_out, part, *cells) for cells in _cells(figures))
    for baseline in report.baselines:
        yield from ((report.headline, None, f"baseline {baseline.name}", "test", *cells) for cells in _cells(baseline.figures))


def _cells(figures: Figures) -> Iterator[tuple[Cell, ...]]:
    for name in METRICS:
        figure = figures.get(name, Figure(value=None))
        interval = figure.interval
        yield ((name, figure.value, interval.low, interval.high, interval.method) if interval else (name, figure.value, None, None, None))


def _score_rows(report: Report) -> Iterator[tuple[Cell, ...]]:
    for split in report.splits:
        for run in split.runs:
            for place, probability in zip(run.test_pictures, run.probabilities, strict=True):
                picture = report.pictures[place]
                names = (picture.name, picture.label, picture.content, picture.style, picture.generator)
                yield (split.name, run.seed, run.held_out, *names, probability, int(probability >= run.threshold))


def table(header: tuple[str, ...], rows: Iterable[tuple[Cell, ...]]) -> bytes:
    """Return a CSV table in which no cell is a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode()


def _harmless(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula: names are what visitors called their files."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
