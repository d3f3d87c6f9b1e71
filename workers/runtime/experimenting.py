"""An experiment as a kind of job: a dataset and a spec in, curves on the way, a report at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError, NotFound
from app.core.hypothesis import HypothesisReport
from app.core.report import Report
from app.core.studies import StudyStep
from app.imaging import encode
from app.infra.clients import Clients
from app.jobs import pictures
from app.jobs.models import EXPERIMENT, Job
from app.lab import experiment_events, hypothesis_files, places, report_files, repository
from app.lab.experiment_events import ExperimentEvent, Studying, StudyRecorder
from app.lab.experiments import LABELS
from app.lab.models import LABELLED, Dataset, DatasetPicture
from workers.runtime.kind import Kind

ReadPixels = Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True)
class Sample:
    """One picture of a dataset; ``label`` is 0 for an original, 1 for a stylised picture.

    Attributes:
        style_print: fingerprint of the style picture, 0 where there is none.
        sent: bytes and format of its file; None in a dataset with pictures that were made here.
    """

    name: str
    label: Literal[0, 1]
    content: str
    style: str
    generator: str
    read: ReadPixels
    style_print: int = 0
    sent: tuple[int, str] | None = None


@dataclass(frozen=True)
class Study:
    """What is to be studied.

    Attributes:
        name: which study, see ``app.lab.experiments``.
        params: its spec as JSON.
        dataset: the row.
        rows: its pictures, in order, each with what reads it; those that are not made are left out.
        largest: longer side of the smallest stylised pictures, or None.
        styles: that a hypothesis trains with ("seen") and tests with ("unseen"), by name.
    """

    name: str
    params: dict[str, Any]
    dataset: Dataset
    rows: Sequence[tuple[DatasetPicture, ReadPixels]]
    largest: int | None
    styles: Mapping[str, Sequence[tuple[str, ReadPixels]]]


@dataclass(frozen=True)
class Found:
    """What came of a study: its report as a file, the short of it, and what else it leaves."""

    report: bytes
    summary: dict[str, Any]
    detector: bytes | None = None
    stopped: bool = False
    answer: str = ""

    @classmethod
    def of_hypothesis(cls, report: HypothesisReport) -> Found:
        return cls(hypothesis_files.to_json(report), {}, stopped=report.stopped, answer=report.conclusion[0])

    @classmethod
    def of(cls, report: Report, detector: bytes | None) -> Found:
        summary = experiment_events.summary_of(report, detector=detector is not None)
        return cls(report_files.to_json(report), summary.model_dump(mode="json"), detector, report.stopped)


class Experimenting(Kind[Study, StudyStep, Found]):
    name = EXPERIMENT
    too_large = "There is not enough memory for this experiment. Take fewer pictures, or shorter features."
    broken = "Something went wrong inside the experiment. It has been logged; trying again may help."
    empty = "The experiment ended before anything was measured."

    def __init__(self, clients: Clients, job: Job) -> None:
        super().__init__(clients, job)
        self._recorder = StudyRecorder()

    def assignment(self) -> Study:
        with self.clients.database.read() as session:
            dataset = repository.find(session, self.job.inputs["dataset"]["id"], self.job.owner)
            if dataset is None:
                raise NotFound("The dataset of this experiment was deleted.")
            rows = repository.pictures(session, dataset.id)
            jobs = repository.jobs_of(session, dataset.id)
        there = [(row, key) for row in rows if (key := places.key_of(row, jobs.get(row.job or ""))) is not None and _is_made(row, jobs)]
        read = [(row, self._reader(key)) for row, key in there]
        return Study(str(self.job.inputs["study"]), self.job.params, dataset, read, _largest([row for row, _ in there]), self._styles())

    def live(self, progress: StudyStep) -> Studying:
        return self._recorder.record(progress)

    def snapshot(self, job: Job) -> ExperimentEvent:
        return experiment_events.snapshot(job)

    def has_something(self, progress: StudyStep) -> bool:
        """A stop waits for the first run, or the first whole grid: what is reported is finished."""
        return progress.runs > 0 and progress.reportable

    def is_finishing(self, progress: StudyStep) -> bool:
        return progress.stage == "finish"

    def result(self, outcome: Found, *, cancelled: bool, stopped: bool) -> dict[str, Any] | None:
        if cancelled:
            return None
        names = {"file": f"report-{self.job.attempt}.json"}
        self.clients.blobs.put(pictures.key(self.job.id, names["file"]), outcome.report)
        if outcome.detector is not None:
            names["detector"] = f"detector-{self.job.attempt}.safetensors"
            self.clients.blobs.put(pictures.key(self.job.id, names["detector"]), outcome.detector)
        return {"report": {"summary": outcome.summary, "answer": outcome.answer, **names}, "stopped_early": outcome.stopped}

    def _styles(self) -> dict[str, list[tuple[str, ReadPixels]]]:
        given: dict[str, list[dict[str, str]]] = self.job.inputs.get("styles", {})
        return {
            part: [(one["name"], self._reader(pictures.key(self.job.id, pictures.input_name(one["role"])))) for one in ones]
            for part, ones in given.items()
        }

    def _reader(self, key: str) -> ReadPixels:
        return lambda: encode.read_rgb(self.clients.blobs.get(key))


def samples_of(study: Study) -> list[Sample]:
    """Return the originals and the stylised pictures of a dataset.

    Of a labelled dataset, classes called original and stylised say which is which; pictures of
    one name share their content, and a domain is taken for the generator.

    Raises:
        InputError: a labelled dataset of other classes.
    """
    if study.dataset.kind == LABELLED:
        return [_labelled(row, read) for row, read in study.rows]
    # A style picture is neither: what was painted from it is in the table under its name.
    names = _names([row for row, _ in study.rows])
    prints = {row.number: int(row.fingerprint, 16) for row, _ in study.rows if row.fingerprint}
    return [
        Sample(
            name=row.name,
            label=1 if row.role == "stylised" else 0,
            content=names[row.content if row.role == "stylised" else row.number],
            style=names[row.style] if row.role == "stylised" else "",
            generator=row.generator,
            read=read,
            style_print=prints.get(row.style or 0, 0) if row.role == "stylised" else 0,
        )
        for row, read in study.rows
        if row.role in ("content", "stylised")
    ]


def _names(rows: Sequence[DatasetPicture]) -> dict[int | None, str]:
    """Return what each picture is called in a report: its name, and its number where a name is not its own."""
    given = Counter(row.name for row in rows if row.role != "stylised")
    return {row.number: row.name if given[row.name] == 1 else f"{row.name} ({row.number})" for row in rows if row.role != "stylised"}


def _labelled(row: DatasetPicture, read: ReadPixels) -> Sample:
    label = LABELS.get(row.klass.lower())
    if label is None:
        raise InputError(
            "An experiment asks which pictures are stylised. Of labelled folders it needs the classes original and stylised; "
            f"other classes are for a hypothesis. Received: {row.klass!r}."
        )
    sent = (row.bytes, row.format) if row.bytes else None
    return Sample(row.name, label, row.name.rpartition(".")[0] or row.name, "", row.domain if label else "", read, sent=sent)


def _is_made(row: DatasetPicture, jobs: dict[str, Job]) -> bool:
    job = jobs.get(row.job or "")
    return row.key is not None or (job is not None and job.state == "done")


def _largest(rows: Sequence[DatasetPicture]) -> int | None:
    """Return the longer side of the smallest stylised picture: what was made by a job is as large as its parameters say."""
    sides = [
        int((row.params or {}).get("size", 0)) if row.width is None else max(row.width, row.height or 0)
        for row in rows
        if row.role == "stylised"
    ]
    return min((side for side in sides if side > 0), default=None)
