"""An experiment as its page shows it: its row and newest event in words, live curves, and its report once there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from app.core.experiments import EXPERIMENT_PRESETS, OBJECTIVES, SPLITS, ExperimentSpec
from app.core.report import Figure, Report
from app.jobs.models import Job
from app.lab import plots, report_view
from app.lab.experiment_events import ExperimentEvent, ShortSplit, Summary, snapshot
from app.lab.report_view import ReportView
from app.web.experiment_form import differences, option, texts_of
from app.web.option import Option
from app.web.study import Study

# As many differences to its preset as a title can bear.
_TOLD = 3


@dataclass(frozen=True)
class ExperimentView(Study[Report]):
    NOUN: ClassVar[str] = "experiment"
    FOLDER: ClassVar[str] = "experiments"
    STAGES: ClassVar[Mapping[str, str]] = {
        "prepare": "Preparing",
        "describe": "Describing the pictures",
        "train": "Training the contrastive stage",
        "classify": "Fitting and testing the classifier",
        "baselines": "Measuring simpler ways",
        "permute": "Swapping labels",
        "finish": "Writing the report",
    }
    BODY: ClassVar[str] = "partials/_experiment_body.html"
    MOVING: ClassVar[Mapping[str, str]] = {"figures": "partials/_study_figures.html", "curves": "partials/_experiment_curves.html"}

    @property
    def name(self) -> str:
        known = EXPERIMENT_PRESETS.get(self.job.preset)
        title = known.title if known else "Experiment"
        return f"{title}, labels shuffled" if self.shuffled else title

    @property
    def title(self) -> str:
        return f"{self.name}: {self.dataset[1]}"

    @cached_property
    def details(self) -> str:
        """Its objective, and what differs from its preset: what tells it apart from others of its name."""
        told = [OBJECTIVES[self._spec.training.objective] if self.contrastive else "no contrastive stage"]
        told += [one for one in differences(self.job.preset, self._spec) if one not in told]
        more = len(told) - 1 - _TOLD
        return ", ".join(told[: 1 + _TOLD]) + (f" and {more} more" if more > 0 else "")

    @property
    def shuffled(self) -> bool:
        return self._spec.shuffle_labels

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
    def reported(self) -> bool:
        return self.summary is not None

    @property
    def headline(self) -> ShortSplit | None:
        """The strictest split, in short."""
        return self._short(self.summary.headline) if self.summary else None

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
        return [option(name, texts) for name, texts in texts_of(self._spec).items()]

    @property
    def contrastive(self) -> bool:
        return self._spec.training.objective != "none"

    @cached_property
    def _spec(self) -> ExperimentSpec:
        return ExperimentSpec.model_validate(self.job.params)

    @property
    def _running(self) -> str:
        event = self.event
        if event.split is None or event.stage not in ("train", "classify"):
            return ""
        held_out = f" ({event.held_out})" if event.held_out else ""
        return f"{SPLITS[event.split]}{held_out}, seed {event.seed}"

    @property
    def _outcome(self) -> str:
        return f"AUROC {self.figure}." if self.figure else ""

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
