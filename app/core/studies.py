"""What a study of the Lab tells while it works: describing pictures first, then evaluating."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.core.experiments import EvaluationStage, EvaluationStep

StudyStage = Literal["prepare", "describe"] | EvaluationStage


@dataclass(frozen=True, slots=True)
class StudyStep:
    """Where a study stands.

    Attributes:
        stage: what is being done.
        fraction: share of the whole work done, 0 to 1. Never falls.
        elapsed: seconds since the start.
        remaining: estimated seconds left; None until measured.
        described: pictures that have their features.
        pictures: pictures in all.
        runs: runs (a split, or a cell of a grid, with a seed) that are finished.
        evaluation: the newest step of the evaluation, or None before it.
        planned: runs in all; 0 where that is not known.
        reportable: what is finished makes a report.
        where: the run that goes on, in words; empty where ``evaluation`` tells it.
    """

    stage: StudyStage
    fraction: float
    elapsed: float
    remaining: float | None
    described: int
    pictures: int
    runs: int = 0
    evaluation: EvaluationStep | None = None
    planned: int = 0
    reportable: bool = True
    where: str = ""


OnStudyStep = Callable[[StudyStep], None]
