"""A study's life: what a stop leaves, what a cancel leaves, and what is read for it. The study here is a function of the test."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import pytest

from app.core.errors import InputError
from app.core.experiments import EvaluationStep, ExperimentSpec
from app.core.ids import new_id
from app.core.progress import StopRequested
from app.core.studies import OnStudyStep, StudyStep
from app.imaging import encode
from app.infra.clients import Clients
from app.jobs import pictures, repository
from app.jobs.models import STYLIZE, Job, State
from app.lab.experiment_events import Summary
from app.lab.experiments import ExperimentService
from app.lab.models import Arrival, Dataset, DatasetPicture
from tests.workers.test_life import OWNER, grey
from workers.runtime.experimenting import Experimenting, Found, Study, samples_of
from workers.runtime.life import Runtime


@pytest.fixture
def experiments(clients: Clients) -> ExperimentService:
    return ExperimentService(clients)


@pytest.fixture
def runtime(clients: Clients) -> Runtime:
    return Runtime(clients)


@pytest.fixture
def add_dataset(clients: Clients) -> Callable[..., Dataset]:
    """Add a dataset of two contents and a style; of its four jobs two are done, one failed with a picture, one waits."""

    def add(kind: str = "stylised", klass: str = "") -> Dataset:
        dataset = Dataset(id=new_id(), owner=OWNER, name="Set", kind=kind, spec={}, arrival=Arrival.READY, total=3, taken=3, planned=7)
        dataset.skipped, dataset.duplicates, dataset.cancelled = [], [], False
        roles = ("content", "content", "style") if kind == "stylised" else ("picture",) * 3
        with clients.database.write() as session:
            dataset.created_at = repository.now(session)
            session.add(dataset)
            session.flush()
            for number, role in enumerate(roles, start=1):
                key = f"datasets/{dataset.id}/{number:05d}.png"
                clients.blobs.put(key, encode.png(grey(number)))
                session.add(
                    DatasetPicture(
                        dataset=dataset.id,
                        number=number,
                        role=role,
                        name=f"{number}.jpg",
                        klass=klass,
                        key=key,
                        width=60,
                        height=40,
                        bytes=5000 + number,
                        format="JPEG",
                        fingerprint=f"fedcba987654300{number}",
                    )
                )
            states = (State.DONE, State.DONE, State.FAILED, State.QUEUED) if kind == "stylised" else ()
            for place, state in enumerate(states):
                job = Job(id=new_id(), kind=STYLIZE, owner=OWNER, parent=dataset.id, state=state, preset="fast", params={}, inputs={})
                job.created_at, job.result = repository.now(session), None if state == State.QUEUED else "result-1.png"
                clients.blobs.put(pictures.key(job.id, "result-1.png"), encode.png(grey(100 + place)))
                session.add(job)
                made = {"content": place % 2 + 1, "style": 3, "generator": "fast", "job": job.id, "params": {"size": 64 + place}}
                session.add(DatasetPicture(dataset=dataset.id, number=4 + place, role="stylised", name=f"made {place}", **made))
        return dataset

    return add


def step(runs: int) -> StudyStep:
    return StudyStep("train", runs / 10, 1.0, None, 9, 9, runs, EvaluationStep("train", "content", runs, "", runs / 10))


def studies(study: Study, on_step: OnStudyStep) -> Found:
    """Nine runs; those that are finished are reported, at least one."""
    finished = 0
    try:
        for runs in range(1, 10):
            for _ in range(3):
                on_step(step(runs - 1))
                time.sleep(0.08)
            finished = runs
    except StopRequested:
        if not finished:
            raise
    return found(finished)


def found(runs: int) -> Found:
    summary = Summary(headline="content", splits=[], left_out={}, unsound=[], pictures=runs, seconds=1.0, stopped=runs < 9)
    return Found(f"{runs}".encode(), summary.model_dump(mode="json"), b"detector" if runs == 9 else None, runs < 9)


def kept(row: Job) -> tuple[object, ...]:
    """The runs reported, and the files."""
    assert row.report is not None
    return row.report["summary"]["pictures"], row.report["file"], row.report.get("detector")


def row(clients: Clients, job: Job) -> Job:
    with clients.database.read() as session:
        return session.get_one(Job, job.id)


def test_only_pictures_that_are_done_are_studied(
    experiments: ExperimentService, runtime: Runtime, add_dataset: Callable[..., Dataset]
) -> None:
    dataset = add_dataset()
    experiments.submit(OWNER, dataset.id, "default", ExperimentSpec())
    given: list[Study] = []

    def look(study: Study, on_step: OnStudyStep) -> Found:
        given.append(study)
        return found(9)

    assert runtime.run_one(Experimenting, look)
    (study,) = given
    samples = samples_of(study)
    assert [(one.label, one.content, one.style, one.generator) for one in samples] == [
        (0, "1.jpg", "", ""),
        (0, "2.jpg", "", ""),
        (1, "1.jpg", "3.jpg", "fast"),
        (1, "2.jpg", "3.jpg", "fast"),
    ]
    assert [int(one.read()[0, 0, 0]) for one in samples] == [1, 2, 100, 101]
    assert [one.style_print for one in samples] == [0, 0, 0xFEDCBA9876543003, 0xFEDCBA9876543003]
    assert study.largest == 64, "the smallest stylised pictures'"
    assert ExperimentSpec.model_validate(study.params) == ExperimentSpec()


def test_what_is_finished_is_stored_with_its_detector(
    experiments: ExperimentService, runtime: Runtime, add_dataset: Callable[..., Dataset], clients: Clients
) -> None:
    job = experiments.submit(OWNER, add_dataset().id, "default", ExperimentSpec())
    assert runtime.run_one(Experimenting, studies)
    done = row(clients, job)
    assert (done.state, done.stopped_early) == (State.DONE, False)
    assert kept(done) == (9, "report-1.json", "detector-1.safetensors")
    assert experiments.report_file(OWNER, job.id) == b"9"
    assert clients.blobs.get(pictures.key(job.id, "detector-1.safetensors")) == b"detector"


def test_a_stop_waits_for_the_first_run_and_reports_what_is_finished(
    experiments: ExperimentService, runtime: Runtime, add_dataset: Callable[..., Dataset], clients: Clients
) -> None:
    job = experiments.submit(OWNER, add_dataset().id, "default", ExperimentSpec())
    experiments.stop(OWNER, job.id)
    assert runtime.run_one(Experimenting, studies)
    done = row(clients, job)
    assert (done.state, done.stopped_early, *kept(done)) == (State.DONE, True, 1, "report-1.json", None)


def test_a_cancel_leaves_no_report(
    experiments: ExperimentService, runtime: Runtime, add_dataset: Callable[..., Dataset], clients: Clients
) -> None:
    job = experiments.submit(OWNER, add_dataset().id, "default", ExperimentSpec())

    def cancelled_meanwhile(study: Study, on_step: OnStudyStep) -> Found:
        experiments.cancel(OWNER, job.id)
        return studies(study, on_step)

    assert runtime.run_one(Experimenting, cancelled_meanwhile)
    assert (row(clients, job).state, row(clients, job).report) == (State.CANCELLED, None)


def test_a_shutdown_gives_the_experiment_back(
    experiments: ExperimentService, runtime: Runtime, add_dataset: Callable[..., Dataset], clients: Clients
) -> None:
    job = experiments.submit(OWNER, add_dataset().id, "default", ExperimentSpec())
    assert dataclasses.replace(runtime, shutting_down=lambda: True).run_one(Experimenting, studies)
    assert row(clients, job).state == State.QUEUED
    assert runtime.run_one(Experimenting, studies)
    assert (row(clients, job).state, row(clients, job).attempt) == (State.DONE, 2)
    assert kept(row(clients, job)) == (9, "report-2.json", "detector-2.safetensors")


@pytest.mark.parametrize(("klass", "label"), [("Original", 0), ("stylized", 1)])
def test_classes_say_which_pictures_are_stylised(
    experiments: ExperimentService, runtime: Runtime, add_dataset: Callable[..., Dataset], klass: str, label: int
) -> None:
    experiments.submit(OWNER, add_dataset("labelled", klass).id, "default", ExperimentSpec())
    given: list[Study] = []

    def look(study: Study, on_step: OnStudyStep) -> Found:
        given.append(study)
        raise InputError("enough")

    assert runtime.run_one(Experimenting, look)
    assert [(one.label, one.content) for one in samples_of(given[0])] == [(label, "1"), (label, "2"), (label, "3")]
    assert isinstance(samples_of(given[0])[0].read(), np.ndarray)
    assert [one.sent for one in samples_of(given[0])] == [(5000 + number, "JPEG") for number in (1, 2, 3)]
