"""A study of the hypothesis as its page shows it: newest event in words, and its grid once there is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from app.core.hypothesis import HypothesisReport, HypothesisSpec
from app.jobs.models import Job, State
from app.lab import hypothesis_view
from app.lab.experiment_events import ExperimentEvent, snapshot
from app.web.experiment_view import STATES
from app.web.hypothesis_form import FIELDS, HypothesisForm
from app.web.option import Option, as_text

STAGES = {
    "prepare": "Reading styles",
    "describe": "Describing and stylising pictures",
    "train": "Training the grid",
    "finish": "Writing the report",
}


@dataclass(frozen=True)
class HypothesisStudy:
    """``found`` is read from its file only for the page that shows it."""

    job: Job
    event: ExperimentEvent
    found: HypothesisReport | None = None

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def url(self) -> str:
        return f"/lab/hypotheses/{self.job.id}"

    @property
    def api(self) -> str:
        return f"/api/lab/hypotheses/{self.job.id}"

    @property
    def name(self) -> str:
        return "Does it help?"

    @property
    def title(self) -> str:
        return f"Hypothesis: {self.dataset[1]}"

    @property
    def dataset(self) -> tuple[str, str]:
        """Id and name of what it is about."""
        about = self.job.inputs["dataset"]
        return str(about["id"]), str(about["name"])

    @property
    def live(self) -> bool:
        return self.event.state in (State.QUEUED, State.RUNNING)

    @property
    def state(self) -> str:
        return "Stopped early" if self.job.stopped_early else STATES[self.event.state]

    @property
    def look(self) -> str:
        """What decides which parts are on the page; only when it changes are all of them drawn again."""
        return f"{self.event.state}{'-stopping' if self.event.stopping else ''}"

    @property
    def percent(self) -> int:
        return int(self.event.percent)

    @property
    def stage(self) -> str:
        if self.event.silent:
            return "The worker does not answer. If it stays away, the study begins again by itself"
        if self.event.stopping:
            return "Stopping after this step"
        if self.event.state == State.QUEUED:
            return "Waiting for its turn"
        return STAGES.get(self.event.stage or "", "Starting")

    @property
    def where(self) -> str:
        """The part of the work that goes on, in words."""
        if self.event.state != State.RUNNING:
            return ""
        return f"{self.event.described} of {self.event.pictures}" if self.event.stage == "describe" else self.event.where

    @property
    def said(self) -> str:
        """Its state as a sentence, for whoever cannot see it."""
        return {
            State.QUEUED: "The study waits for its turn.",
            State.RUNNING: "The study has begun.",
            State.DONE: f"The study is finished. {self.answer}".strip(),
            State.FAILED: f"The study failed. {self.event.error or ''}".strip(),
            State.CANCELLED: "The study was cancelled.",
        }[self.event.state]

    @property
    def headline(self) -> None:
        """A list shows its answer instead of figures."""
        return

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
        """Every parameter with its value."""
        spec = HypothesisSpec.model_validate(self.job.params).model_dump()
        shown = HypothesisForm(values={name: as_text(spec[name]) for name in FIELDS})
        return [option for _, options in shown.groups for option in options]

    def shown(self, event: ExperimentEvent) -> HypothesisStudy:
        return HypothesisStudy(self.job, event, self.found)


def view(job: Job, event: ExperimentEvent | None = None, report: HypothesisReport | None = None) -> HypothesisStudy:
    return HypothesisStudy(job, event or snapshot(job), report)
