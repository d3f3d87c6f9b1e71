"""An experiment as its page shows it: its row and newest event in words, live curves, and its report once there is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from app.core.experiments import EXPERIMENT_PRESETS, SPLITS, ExperimentSpec
from app.core.report import Figure, Report
from app.jobs.models import Job, State
from app.lab import plots, report_view
from app.lab.experiment_events import ExperimentEvent, ShortSplit, Summary, snapshot
from app.lab.experiment_specs import TRAINING
from app.lab.report_view import ReportView
from app.web.experiment_form import option, texts_of
from app.web.option import Option

STAGES = {
    "prepare": "Preparing",
    "describe": "Describing the pictures",
    "train": "Training the contrastive stage",
    "classify": "Fitting and testing the classifier",
    "baselines": "Measuring simpler ways",
    "permute": "Swapping labels",
    "finish": "Writing the report",
}
STATES = {
    State.QUEUED: "Waiting",
    State.RUNNING: "Running",
    State.DONE: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
}


@dataclass(frozen=True)
class ExperimentView:
    """``report`` is read from its file only for the page that shows it."""

    job: Job
    event: ExperimentEvent
    found: Report | None = None

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def url(self) -> str:
        return f"/lab/experiments/{self.job.id}"

    @property
    def api(self) -> str:
        return f"/api/lab/experiments/{self.job.id}"

    @property
    def name(self) -> str:
        """What is done, without the dataset."""
        known = EXPERIMENT_PRESETS.get(self.job.preset)
        title = known.title if known else "Experiment"
        return f"{title}, labels shuffled" if self.shuffled else title

    @property
    def title(self) -> str:
        return f"{self.name}: {self.dataset[1]}"

    @property
    def dataset(self) -> tuple[str, str]:
        """Id and name of what it is about."""
        about = self.job.inputs["dataset"]
        return str(about["id"]), str(about["name"])

    @property
    def shuffled(self) -> bool:
        return bool(self.job.params.get("shuffle_labels"))

    @property
    def live(self) -> bool:
        return self.event.state in (State.QUEUED, State.RUNNING)

    @property
    def state(self) -> str:
        if self.summary is not None and self.summary.stopped:
            return "Stopped early"
        return STATES[self.event.state]

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
            return "The worker does not answer. If it stays away, the experiment begins again by itself"
        if self.event.stopping:
            return "Stopping after this step"
        if self.event.state == State.QUEUED:
            return "Waiting for its turn"
        return STAGES.get(self.event.stage or "", "Starting")

    @property
    def where(self) -> str:
        """The part of the work that goes on, in words."""
        event = self.event
        if event.state != State.RUNNING:
            return ""
        if event.stage == "describe":
            return f"{event.described} of {event.pictures}"
        if event.split is None or event.stage not in ("train", "classify"):
            return ""
        held_out = f" ({event.held_out})" if event.held_out else ""
        return f"{SPLITS[event.split]}{held_out}, seed {event.seed}"

    @property
    def said(self) -> str:
        """Its state as a sentence, for whoever cannot see it."""
        figure = self.figure
        return {
            State.QUEUED: "The experiment waits for its turn.",
            State.RUNNING: "The experiment has begun.",
            State.DONE: f"The experiment is finished.{f' AUROC {figure}.' if figure else ''}",
            State.FAILED: f"The experiment failed. {self.event.error or ''}".strip(),
            State.CANCELLED: "The experiment was cancelled.",
        }[self.event.state]

    @cached_property
    def curves(self) -> tuple[plots.Lines, ...]:
        """The training that goes on, over all its epochs."""
        training = self.event.training
        return report_view.training_lines(training.curve, epochs=training.epochs) if training else ()

    @property
    def training_of(self) -> str:
        """Whose curves are shown."""
        training = self.event.training
        if training is None:
            return ""
        held_out = f" ({training.held_out})" if training.held_out else ""
        newest = training.curve[-1].epoch if training.curve else 0
        return f"{SPLITS[training.split]}{held_out}, seed {training.seed}: epoch {newest} of {training.epochs}"

    @property
    def collapsed(self) -> bool:
        training = self.event.training
        return bool(training and training.curve and training.curve[-1].collapsed)

    @property
    def summary(self) -> Summary | None:
        return self.event.summary

    @property
    def headline(self) -> ShortSplit | None:
        """The strictest split, in short."""
        return self._short(self.summary.headline) if self.summary else None

    @property
    def answer(self) -> str:
        """What a list says in words, where figures do not say it all."""
        return ""

    @property
    def figure(self) -> str:
        """The headline's AUROC with its interval, or nothing."""
        return _figure(self.headline.test.get("auroc")) if self.headline else ""

    @property
    def flattering(self) -> str:
        """The accuracy on the pictures it was trained on, as the paper reports it; nothing where that was not measured."""
        short = self._short("train_is_test") if self.summary else None
        figure = short.test.get("accuracy") if short else None
        return "" if figure is None or figure.value is None else f"{figure.value:.3f}"

    @cached_property
    def report(self) -> ReportView | None:
        return report_view.view(self.found) if self.found else None

    @property
    def options(self) -> list[Option]:
        """Every parameter with its value."""
        return [option(name, texts) for name, texts in texts_of(ExperimentSpec.model_validate(self.job.params)).items()]

    @property
    def contrastive(self) -> bool:
        return bool(self.job.params.get(TRAINING, {}).get("objective") != "none")

    def shown(self, event: ExperimentEvent) -> ExperimentView:
        return ExperimentView(self.job, event, self.found)

    def _short(self, name: str) -> ShortSplit | None:
        splits = self.summary.splits if self.summary else []
        return next((one for one in splits if one.name == name), None)


def view(job: Job, event: ExperimentEvent | None = None, report: Report | None = None) -> ExperimentView:
    return ExperimentView(job, event or snapshot(job), report)


def _figure(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return ""
    bounds = figure.interval
    return f"{figure.value:.3f}" + (f" ({bounds.low:.3f}–{bounds.high:.3f})" if bounds else "")
