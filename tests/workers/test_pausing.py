"""Pausing while the engine works: the worker is freed, the best picture is at hand, and nothing is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
import redis

from app.core.errors import EngineError
from app.core.progress import OnProgress, StopRequested
from app.imaging import encode
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database
from app.jobs import pictures, repository
from app.jobs.models import VERDICT, Job, State
from app.jobs.service import JobService
from app.jobs.sweeper import Sweeper
from tests.workers.test_failing import fails_at
from tests.workers.test_life import OWNER, events_of, grey, record, row
from tests.workers.test_put_down import Killed, Painter, expire, files, fill, killed_at
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]


@pytest.fixture
def runtime(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setattr("workers.runtime.life._LOOK_EVERY_SECONDS", 0.0)
    quick = {"heartbeat_seconds": 60.0, "preview_seconds": 0.0, "checkpoint_seconds": 3600.0}
    return Runtime(dataclasses.replace(clients, settings=clients.settings.model_copy(update=quick)))


@pytest.fixture
def paused(runtime: Runtime, add_job: AddJob, service: JobService) -> Job:
    """A job that was paused during its fifth iteration."""
    job = add_job()
    runtime.run_one(Stylizing, Painter(lambda n: service.pause(OWNER, job.id) if n == 4 else None))
    return job


def test_pause_frees_the_worker_and_resume_goes_on_from_that_very_step(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, paused: Job, redis_client: redis.Redis
) -> None:
    rests = row(database, paused)
    assert (rests.state, rests.lease_until, rests.crashes, rests.result, rests.pause_requested) == (State.PAUSED, None, 0, None, False)
    assert events_of(redis_client, paused)[-1]["state"] == "paused"
    assert not runtime.run_one(Stylizing, Painter()), "nobody claims it"
    service.resume(OWNER, paused.id)
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [5]
    done = row(database, paused)
    assert (done.state, done.stopped_early, done.checkpoint) == (State.DONE, False, None)
    assert [name for name in files(blobs, paused) if name.startswith(("checkpoint", "result"))] == ["result-2.png"]


def test_a_paused_job_that_is_stopped_is_done_at_once(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, paused: Job
) -> None:
    service.stop(OWNER, paused.id)
    done = row(database, paused)
    assert (done.state, done.stopped_early, done.result, done.checkpoint) == (State.DONE, True, "result-1.png", None)
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(paused.id, "result-1.png"))), grey(50))
    assert done.facts is not None and done.facts["iterations"] == 5
    assert [frame["iteration"] for frame in done.frames or []] == [1, 2, 3, 4, 5]
    assert not [name for name in files(blobs, paused) if name.startswith("checkpoint")]
    with database.read() as session:
        verdict = repository.verdict_of(session, paused.id)
    assert verdict is not None and (verdict.kind, verdict.state) == (VERDICT, State.QUEUED)
    assert not runtime.run_one(Stylizing, Painter())


@pytest.mark.parametrize("end", ["cancel", "delete"])
def test_a_paused_job_that_is_called_off_keeps_its_picture(
    database: Database, blobs: Blobs, service: JobService, paused: Job, end: str
) -> None:
    getattr(service, end)(OWNER, paused.id)
    ended = row(database, paused)
    assert (ended.state, ended.result, ended.stopped_early) == (State.CANCELLED, "result-1.png", False)
    assert not [name for name in files(blobs, paused) if name.startswith("checkpoint")]
    if end == "delete":
        service.restore(OWNER, paused.id)
        assert row(database, paused).deleted_at is None


def test_changes_made_while_it_rests_are_followed_and_told(runtime: Runtime, database: Database, service: JobService, paused: Job) -> None:
    service.change(OWNER, paused.id, {"strength": 3.0})
    service.resume(OWNER, paused.id)
    painter = Painter()
    runtime.run_one(Stylizing, painter)
    assert (painter.begun_at, set(painter.strengths)) == ([5], {3.0})
    facts = row(database, paused).facts
    assert facts is not None
    assert facts["changes"] == [{"iteration": 6, "name": "strength", "before": 1.0, "after": 3.0}]


def test_a_pause_that_is_taken_back_in_time_lets_the_job_wait_not_rest(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    stored = Stylizing.held

    def held(*arguments: object) -> dict[str, object]:
        service.resume(OWNER, job.id)
        return stored(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Stylizing, "held", held)
    runtime.run_one(Stylizing, Painter(lambda n: service.pause(OWNER, job.id) if n == 4 else None))
    assert row(database, job).state == State.QUEUED
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert (painter.begun_at, row(database, job).state) == ([5], State.DONE)


def test_a_worker_that_dies_before_it_could_pause_leaves_a_paused_job(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService, sweeper: Sweeper
) -> None:
    job = add_job()

    def die(n: int) -> None:
        if n == 4:
            service.pause(OWNER, job.id)
            raise Killed

    with pytest.raises(Killed):
        runtime.run_one(Stylizing, Painter(die))
    expire(database, sweeper, job)
    assert (row(database, job).state, row(database, job).pause_requested) == (State.PAUSED, False)


def test_stop_during_a_pending_pause_wins(runtime: Runtime, database: Database, add_job: AddJob, service: JobService) -> None:
    job = add_job()

    def both(n: int) -> None:
        if n == 4:
            service.pause(OWNER, job.id)
            service.stop(OWNER, job.id)

    runtime.run_one(Stylizing, Painter(both))
    assert (row(database, job).state, row(database, job).stopped_early) == (State.DONE, True)


@pytest.mark.parametrize(("what", "state"), [("cancel", State.CANCELLED), ("stop", State.DONE)])
def test_a_resumed_job_that_still_waits_ends_with_what_is_held(
    database: Database, service: JobService, paused: Job, what: str, state: State
) -> None:
    service.resume(OWNER, paused.id)
    getattr(service, what)(OWNER, paused.id)
    ended = row(database, paused)
    assert (ended.state, ended.result, ended.checkpoint) == (state, "result-1.png", None)
    assert ended.facts is not None and ended.facts["iterations"] == 5


def killed_after(runtime: Runtime, iteration: int) -> None:
    """Paint on, with states stored at each step, until the worker dies."""
    settings = runtime.clients.settings.model_copy(update={"checkpoint_seconds": 0.0})
    with pytest.raises(Killed):
        Runtime(dataclasses.replace(runtime.clients, settings=settings)).run_one(Stylizing, Painter(killed_at(iteration)))


@pytest.mark.parametrize(("what", "state"), [("cancel", State.CANCELLED), ("stop", State.DONE), ("delete", State.CANCELLED)])
@pytest.mark.parametrize("was_paused", [True, False])
def test_what_was_painted_since_the_last_pause_is_not_lost_by_an_end_without_a_worker(
    runtime: Runtime,
    database: Database,
    blobs: Blobs,
    service: JobService,
    sweeper: Sweeper,
    add_job: AddJob,
    what: str,
    state: State,
    was_paused: bool,
) -> None:
    job = add_job()
    if was_paused:
        runtime.run_one(Stylizing, Painter(lambda n: service.pause(OWNER, job.id) if n == 4 else None))
        service.resume(OWNER, job.id)
    killed_after(runtime, 8)
    expire(database, sweeper, job)
    assert row(database, job).state == State.QUEUED
    getattr(service, what)(OWNER, job.id)
    waits = row(database, job)
    assert (waits.state, waits.checkpoint is None) == (State.QUEUED, False)
    others = add_job(owner="b" * 32, created_at=0.0)
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [8], "it is ended before others are begun"
    ended = row(database, job)
    assert (ended.state, ended.result, ended.checkpoint) == (state, f"result-{ended.attempt}.png", None)
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(job.id, str(ended.result)))), grey(80))
    assert not [name for name in files(blobs, job) if name.startswith("checkpoint")]
    assert row(database, others).state == State.QUEUED


@pytest.mark.parametrize(("what", "state"), [("cancel", State.CANCELLED), ("stop", State.DONE)])
def test_where_the_state_is_damaged_the_picture_of_the_pause_is_what_there_is(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, sweeper: Sweeper, paused: Job, what: str, state: State
) -> None:
    service.resume(OWNER, paused.id)
    killed_after(runtime, 8)
    expire(database, sweeper, paused)
    left = row(database, paused).checkpoint
    assert left is not None
    blobs.put(pictures.key(paused.id, left["name"]), b"damaged")
    getattr(service, what)(OWNER, paused.id)
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [0]
    ended = row(database, paused)
    assert (ended.state, ended.result) == (state, "result-1.png")
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(paused.id, "result-1.png"))), grey(50))
    assert {str(frame["name"]) for frame in ended.frames or []} <= set(files(blobs, paused))
    # With its own figures, and not those of the new beginning.
    assert ended.progress is not None and ended.facts is not None and ended.facts["iterations"] == 5
    assert ended.progress["iteration"] == ended.progress["curve"][-1]["iteration"] == 5


def test_a_picture_held_by_an_earlier_version_ends_a_job_at_once(database: Database, service: JobService, paused: Job) -> None:
    with database.write() as session:
        job = session.get_one(Job, paused.id)
        job.checkpoint = {name: value for name, value in (job.checkpoint or {}).items() if name != "held_at"}
    service.stop(OWNER, paused.id)
    ended = row(database, paused)
    assert (ended.state, ended.result) == (State.DONE, "result-1.png")


def test_a_cancelled_job_whose_worker_dies_ends_with_what_was_painted(
    runtime: Runtime, database: Database, service: JobService, sweeper: Sweeper, add_job: AddJob
) -> None:
    job = add_job()
    killed_after(runtime, 8)
    service.cancel(OWNER, job.id)
    expire(database, sweeper, job)
    assert row(database, job).state == State.QUEUED
    assert runtime.run_one(Stylizing, Painter())
    ended = row(database, job)
    assert (ended.state, ended.result) == (State.CANCELLED, f"result-{ended.attempt}.png")


def test_a_cancelled_job_that_kills_each_worker_ends_all_the_same_and_names_no_state(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, sweeper: Sweeper, add_job: AddJob
) -> None:
    job = add_job()
    killed_after(runtime, 8)
    service.cancel(OWNER, job.id)
    # And that which was only to end it.
    for _ in range(runtime.clients.settings.max_crashes):
        expire(database, sweeper, job)

        def die(sitting: Sitting, on_progress: OnProgress) -> Outcome:
            raise Killed

        with pytest.raises(Killed):
            runtime.run_one(Stylizing, die)
    expire(database, sweeper, job)
    ended = row(database, job)
    assert (ended.state, ended.result, ended.checkpoint) == (State.CANCELLED, None, None)
    assert not [name for name in files(blobs, job) if name.startswith("checkpoint")]


def test_a_resumed_job_that_is_cancelled_and_fails_before_its_first_step_keeps_what_is_held(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, paused: Job
) -> None:
    service.resume(OWNER, paused.id)

    def cancelled(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        service.cancel(OWNER, paused.id)
        on_progress(dataclasses.replace(record(5, preview=None), stage="prepare", losses=None))
        raise EngineError("Not enough memory.")

    runtime.run_one(Stylizing, cancelled)
    ended = row(database, paused)
    assert (ended.state, ended.result) == (State.CANCELLED, "result-1.png")
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(paused.id, "result-1.png"))), grey(50))
    named = {str(frame["name"]) for frame in ended.frames or []}
    assert len(named) == 5 and named <= set(files(blobs, paused))


def test_a_failure_after_a_pause_ends_with_what_is_held_and_says_why(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, paused: Job
) -> None:
    service.resume(OWNER, paused.id)
    runtime.run_one(Stylizing, Painter(fails_at(8)))
    ended = row(database, paused)
    assert (ended.state, ended.result, ended.stopped_early, ended.error) == (State.DONE, "result-1.png", True, None)
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(paused.id, "result-1.png"))), grey(50))
    assert ended.facts is not None and ended.facts["notes"] == ["It did not get further: Not enough memory"]
    assert service.event(OWNER, paused.id).notes == ["It did not get further: Not enough memory"]
    assert {str(frame["name"]) for frame in ended.frames or []} <= set(files(blobs, paused))


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_paused_job_whose_workers_die_ends_with_what_is_held(
    runtime: Runtime, database: Database, service: JobService, sweeper: Sweeper, paused: Job, cancelled: bool
) -> None:
    service.resume(OWNER, paused.id)
    for _ in range(1 if cancelled else runtime.clients.settings.max_crashes):
        with pytest.raises(Killed):
            runtime.run_one(Stylizing, Painter(killed_at(6)))
        if cancelled:
            service.cancel(OWNER, paused.id)
        expire(database, sweeper, paused)
    ended = row(database, paused)
    assert (ended.state, ended.result) == (State.CANCELLED if cancelled else State.DONE, "result-1.png")
    assert ended.error is None and (ended.stopped_early, bool((ended.facts or {})["notes"])) == (not cancelled, not cancelled)
    with database.read() as session:
        verdict = repository.verdict_of(session, paused.id)
    assert verdict is not None and verdict.state == State.QUEUED


def test_a_pause_on_a_full_disk_still_frees_the_worker(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runtime.life._RETRY_SECONDS", ())
    job = add_job()

    def full(n: int) -> None:
        if n == 4:
            service.pause(OWNER, job.id)
            fill(monkeypatch)

    runtime.run_one(Stylizing, Painter(full))
    assert (row(database, job).state, row(database, job).lease_until) == (State.PAUSED, None)


@pytest.mark.parametrize("resumed", [False, True])
def test_a_change_that_no_iteration_followed_is_not_in_the_facts(
    runtime: Runtime, database: Database, service: JobService, paused: Job, resumed: bool
) -> None:
    service.change(OWNER, paused.id, {"strength": 3.0})

    def stopped(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        service.stop(OWNER, paused.id)
        with suppress(StopRequested):
            on_progress(dataclasses.replace(record(5), stage="refine", losses=None))
        return Outcome(grey(50), {"iterations": 5})

    if resumed:
        service.resume(OWNER, paused.id)
        runtime.run_one(Stylizing, stopped)
    else:
        service.stop(OWNER, paused.id)
    ended = row(database, paused)
    assert (ended.state, ended.params["strength"]) == (State.DONE, 3.0)
    assert ended.facts is not None
    assert (ended.facts["settings"]["strength"], ended.facts["changes"]) == (1.0, [])
    assert ended.facts["resumed_at"] == (5 if resumed else None)
