from __future__ import annotations

import csv
import io

import pytest

from app.core.report import METRICS
from app.lab.report_files import from_json, metrics_csv, scores_csv, to_json
from tests.lab.reports import report


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_json_and_back_loses_nothing() -> None:
    assert from_json(to_json(report())) == report()


def test_the_metrics_table_has_every_figure_of_every_split_part_and_run() -> None:
    found = report()
    table = rows(metrics_csv(found))
    parts = sum(2 + 2 * len(split.runs) for split in found.splits) + len(found.baselines)
    assert len(table) == parts * len(METRICS)
    mean = next(row for row in table if (row["split"], row["seed"], row["part"], row["metric"]) == ("content_style", "", "test", "auroc"))
    figure = found.split("content_style").test["auroc"]
    assert figure.interval is not None
    assert (float(mean["value"]), float(mean["low"]), float(mean["high"])) == (figure.value, figure.interval.low, figure.interval.high)
    assert {row["held_out"] for row in table if row["split"] == "generator"} == {"", "adain", "optimiser"}


def test_the_scores_table_gives_the_accuracy_again() -> None:
    found = report()
    table = [row for row in rows(scores_csv(found)) if (row["split"], row["seed"]) == ("content", "1")]
    run = found.split("content").runs[1]
    assert len(table) == run.test.pictures
    accuracy = sum(row["label"] == row["called"] for row in table) / len(table)
    assert accuracy == pytest.approx(run.test.figures["accuracy"].value, abs=1e-6)
    assert float(table[0]["probability"]) == run.probabilities[0]


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    found = report()
    evil = found.pictures[0].model_copy(update={"name": "=cmd|' /C calc'!A0", "content": 'a,"b"\nc'})
    table = rows(scores_csv(found.model_copy(update={"pictures": (evil, *found.pictures[1:])})))
    row = next(row for row in table if row["content"] == evil.content)
    assert row["picture"] == "'" + evil.name
