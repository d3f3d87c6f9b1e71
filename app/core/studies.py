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
        runs: runs (a split with a seed) that are finished.
        evaluation: the newest step of the evaluation, or None before it.
    """

    stage: StudyStage
    fraction: float
    elapsed: float
    remaining: float | None
    described: int
    pictures: int
    runs: int = 0
    evaluation: EvaluationStep | None = None


OnStudyStep = Callable[[StudyStep], None]
