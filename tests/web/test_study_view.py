"""Where a study stands, in words and times, and what tells experiments apart."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.experiments import EXPERIMENT_PRESETS, ExperimentSpec
from app.jobs.models import Job, State
from app.lab.experiment_events import Studying, snapshot
from app.web.experiment_view import ExperimentView, view
from app.web.render import render


def shown(preset: str = "quick", *, stage: str | None = None, stop: bool = False, **changes: Any) -> ExperimentView:
    spec = ExperimentSpec.model_validate({**EXPERIMENT_PRESETS[preset].spec.model_dump(), **changes})
    job = Job(id="0" * 32, kind="experiment", owner="o", state=State.RUNNING, preset=preset, params=spec.model_dump(mode="json"))
    job.inputs, job.attempt, job.created_at, job.stop_requested = (
        {"study": "evaluation", "dataset": {"id": "d", "name": "Set"}},
        1,
        0.0,
        stop,
    )
    job.progress = Studying(stage=stage, percent=12.5, elapsed=3, remaining=20).model_dump(mode="json")
    return view(job, snapshot(job))


@pytest.mark.parametrize(
    ("stage", "stop", "told"),
    [(None, False, set()), ("train", False, {"Elapsed", "Remaining"}), ("train", True, {"Elapsed"})],
)
def test_times_are_told_once_there_are_some_and_what_remains_not_while_it_stops(stage: str | None, stop: bool, told: set[str]) -> None:
    page = render("partials/_study_figures.html", study=shown(stage=stage, stop=stop))
    assert {word for word in ("Elapsed", "Remaining") if word in page} == told
    assert ("<dl" in page) == bool(told), "an empty list would be read out"


def test_experiments_of_one_preset_are_told_apart_by_what_differs() -> None:
    plain = shown()
    assert (plain.details, plain.label) == ("NT-Xent (SimCLR)", "Quick look, NT-Xent (SimCLR): Set")
    assert shown("paper").details == "Pairwise (Hadsell)"
    training = {**EXPERIMENT_PRESETS["quick"].spec.training.model_dump(), "objective": "moco", "epochs": 40}
    other = shown(training=training, splits=("content",), classifier="linear_svm")
    assert other.details == "MoCo, epochs 40, classifier linear SVM, splits: 1"
    many = shown(features="pooled", training=training, splits=("content",), seeds=2, resamples=300)
    assert many.details == "MoCo, features pooled, epochs 40, splits: 1 and 2 more"
    assert shown(shuffle_labels=True).name == "Quick look, labels shuffled"
    assert shown(training={**training, "objective": "none"}).details.startswith("no contrastive stage")


def test_parameters_are_shown_in_the_words_of_the_form() -> None:
    said = {option.name: option.said for option in shown(splits=("content_style",), shuffle_labels=True).options}
    assert said["training.objective"] == "NT-Xent (SimCLR)" and said["training.pairs"] == "A content and its stylised version"
    assert (said["splits"], said["classify"], said["features"]) == ("Contents and styles held out", "The features", "Both")
    assert (said["shuffle_labels"], said["training.temperature"]) == ("yes", "usual")
