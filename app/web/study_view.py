"""A study of the Lab as a list shows it, whichever it is."""

from __future__ import annotations

from app.jobs.models import Job
from app.web.experiment_view import ExperimentView
from app.web.experiment_view import view as experiment_view

StudyView = ExperimentView


def study_view(job: Job) -> StudyView:
    return experiment_view(job)
