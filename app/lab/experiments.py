"""What one may do with experiments, for the page, the API and the owner alone."""

from __future__ import annotations

from typing import Any, Literal

from app.core.errors import NotFound, NotReady, TooMany
from app.core.experiments import ExperimentSpec
from app.core.ids import is_id, new_id
from app.core.report import Report
from app.jobs import pictures
from app.jobs import repository as job_repository
from app.jobs.kind_service import KindService
from app.jobs.models import EXPERIMENT, Job, State
from app.lab import experiment_events, report_files, repository
from app.lab.comparison import Comparison, compare
from app.lab.experiment_events import ExperimentEvent
from app.lab.models import Arrival, Dataset

# What an experiment's job is about, in its inputs; other studies have other names.
EVALUATION = "evaluation"
# Classes of a labelled dataset that say what an experiment asks.
LABELS: dict[str, Literal[0, 1]] = {"original": 0, "originals": 0, "stylised": 1, "stylized": 1}


class ExperimentService(KindService[ExperimentEvent]):
    kind = EXPERIMENT
    absent = "There is no such experiment, or it is not yours."

    def snapshot(self, job: Job, queue_position: int | None = None, *, silent: bool = False) -> ExperimentEvent:
        return experiment_events.snapshot(job, queue_position, silent=silent)

    def submit(self, owner: str, dataset_id: str, preset: str, spec: ExperimentSpec) -> Job:
        """Commit the row of an experiment on a dataset, then send the wake-up.

        Raises:
            NotFound: no such dataset, or not the owner's.
            NotReady: its pictures are still being taken in, or could not be.
        """
        return self.queue(owner, dataset_id, EVALUATION, preset, spec.model_dump(mode="json"))

    def queue(self, owner: str, dataset_id: str, study: str, preset: str, params: dict[str, Any]) -> Job:
        """Commit the row of any study on a dataset, then send the wake-up."""
        with self._database.write() as session:
            self._check_limits(session, owner)
            dataset = repository.find(session, dataset_id, owner) if is_id(dataset_id) else None
            if dataset is None:
                raise NotFound("There is no such dataset, or it is not yours.")
            check_ready(dataset)
            job = Job(
                id=new_id(),
                kind=EXPERIMENT,
                owner=owner,
                state=State.QUEUED,
                preset=preset,
                params=params,
                inputs={"study": study, "dataset": {"id": dataset.id, "name": dataset.name}},
                created_at=job_repository.now(session),
            )
            session.add(job)
        self._wake(job)
        return job

    def shuffled(self, owner: str, experiment_id: str) -> Job:
        """Queue the same experiment with its labels shuffled: what it finds then is what chance finds."""
        job = self.evaluation(owner, experiment_id)
        spec = ExperimentSpec.model_validate(job.params)
        if spec.shuffle_labels:
            raise NotReady("The labels of this experiment are shuffled already.")
        return self.submit(owner, job.inputs["dataset"]["id"], job.preset, spec.model_copy(update={"shuffle_labels": True}))

    def evaluation(self, owner: str, experiment_id: str) -> Job:
        """Return the experiment if it is one of original against stylised."""
        job = self.get(owner, experiment_id)
        if job.inputs.get("study") != EVALUATION:
            raise NotReady("This study has another kind of report.")
        return job

    def report_file(self, owner: str, experiment_id: str) -> bytes:
        """Return the report as stored, JSON.

        Raises:
            NotReady: there is none yet, or none came of it.
        """
        job = self.get(owner, experiment_id)
        name = (job.report or {}).get("file")
        if name is None:
            raise NotReady(
                job.error or ("This experiment was called off." if job.terminal else "This experiment has no report yet. Wait for it.")
            )
        return self._blobs.get(pictures.key(job.id, name))

    def report(self, owner: str, experiment_id: str) -> Report:
        self.evaluation(owner, experiment_id)
        return report_files.from_json(self.report_file(owner, experiment_id))

    def compare(self, owner: str, first: str, second: str) -> Comparison:
        """Return what the second experiment does better or worse than the first."""
        return compare(self.report(owner, first), self.report(owner, second))

    def _check_limit(self, own: int) -> None:
        if own >= self._settings.max_experiments:
            raise TooMany(f"You have {own} experiments waiting or running. Wait for one to finish, or cancel one.")


def check_ready(dataset: Dataset) -> None:
    if dataset.arrival == Arrival.FAILED:
        raise NotReady("This dataset could not be taken in, so there is nothing to experiment on.")
    if dataset.arrival != Arrival.READY:
        raise NotReady("The pictures of this dataset are still being taken in. Wait until that is done.")
