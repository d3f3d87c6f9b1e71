"""A job of the Lab as the study that it is."""

from __future__ import annotations

from app.jobs.models import Job
from app.lab.hypotheses import HYPOTHESIS
from app.web.experiment_view import ExperimentView
from app.web.experiment_view import view as experiment_view
from app.web.hypothesis_view import HypothesisStudy
from app.web.hypothesis_view import view as hypothesis_view

StudyView = ExperimentView | HypothesisStudy


def study_view(job: Job) -> StudyView:
    return hypothesis_view(job) if job.inputs["study"] == HYPOTHESIS else experiment_view(job)
