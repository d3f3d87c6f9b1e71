"""A study of the hypothesis as its page shows it: newest event in words, and its grid once there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from app.core.hypothesis import HypothesisReport, HypothesisSpec
from app.jobs.models import Job
from app.lab import hypothesis_view
from app.lab.experiment_events import ExperimentEvent, snapshot
from app.web.hypothesis_form import FIELDS, HypothesisForm
from app.web.option import Option, as_text
from app.web.study import Study


@dataclass(frozen=True)
class HypothesisStudy(Study[HypothesisReport]):
    NOUN: ClassVar[str] = "study"
    FOLDER: ClassVar[str] = "hypotheses"
    STAGES: ClassVar[Mapping[str, str]] = {
        "prepare": "Reading styles",
        "describe": "Describing and stylising pictures",
        "train": "Training the grid",
        "finish": "Writing the report",
    }
    BODY: ClassVar[str] = "partials/_hypothesis_body.html"
    MOVING: ClassVar[Mapping[str, str]] = {"figures": "partials/_study_figures.html"}

    @property
    def name(self) -> str:
        return "Does it help?"

    @property
    def title(self) -> str:
        return f"Hypothesis: {self.dataset[1]}"

    @property
    def reported(self) -> bool:
        return self.report is not None

    @property
    def answer(self) -> str:
        """What the figures show, in a sentence."""
        return self.event.answer or ""

    @cached_property
    def report(self) -> hypothesis_view.HypothesisView | None:
        return hypothesis_view.view(self.found) if self.found else None

    @property
    def styles(self) -> list[tuple[str, str]]:
        """The styles of each part, by name."""
        given = self.job.inputs["styles"]
        titles = (("Trained with", "seen"), ("Kept for the test", "unseen"))
        return [(title, ", ".join(one["name"] for one in given[part])) for title, part in titles]

    @property
    def options(self) -> list[Option]:
        spec = HypothesisSpec.model_validate(self.job.params).model_dump()
        shown = HypothesisForm(values={name: as_text(spec[name]) for name in FIELDS})
        return [option for _, options in shown.groups for option in options]

    @property
    def _running(self) -> str:
        return self.event.where

    @property
    def _outcome(self) -> str:
        return self.answer


def view(job: Job, event: ExperimentEvent | None = None, report: HypothesisReport | None = None) -> HypothesisStudy:
    return HypothesisStudy(job, event or snapshot(job), report)
