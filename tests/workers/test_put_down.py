"""Jobs put down and taken up again: shutdown, pause, checkpoints. The engine is a function of the test; everything else is real."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import redis

from app.core.checkpoint import Checkpoint
from app.core.errors import StorageFull
from app.core.progress import OnProgress, Progress, StopRequested
from app.core.steering import settings_of
from app.infra.blobs import Blobs
from app.infra.database import Database
from app.jobs import pictures, repository
from app.jobs.models import Job, State
from app.jobs.service import JobService
from app.jobs.sweeper import Sweeper
from tests.workers.test_life import OWNER, events_of, grey, paints, record, row
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]


def saving(sitting: Sitting, iteration: int) -> Progress:
    """Return a record whose state says which iteration it is of."""
    canvas = np.full((5, 6, 3), iteration / 100, np.float32)
    memory = {"limit": np.float32(0.1).reshape(()), "steps": np.ones((2, 90), np.float16)}

    def save() -> Checkpoint:
        return Checkpoint(0, iteration, iteration, float(iteration), canvas, canvas, (3.0,), settings_of(sitting.steer()), memory)

    return dataclasses.replace(record(iteration), save=save)


class Painter:
    """Ten iterations from wherever it is told to go on; ``at`` is called after each."""

    def __init__(self, at: Callable[[int], None] = lambda _: None) -> None:
        self.at = at
        self.begun_at: list[int] = []
        self.resumed: list[Checkpoint | None] = []
        self.strengths: list[float] = []

    def __call__(self, sitting: Sitting, on_progress: OnProgress) -> Outcome:
        done = sitting.resume.iteration if sitting.resume else 0
        self.begun_at.append(done)
        self.resumed.append(sitting.resume)
        try:
            on_progress(dataclasses.replace(record(done, preview=None), stage="prepare", losses=None))
            if sitting.resume:
                on_progress(dataclasses.replace(record(done), losses=None))
            for n in range(done + 1, 11):
                self.strengths.append(sitting.steer().params.strength)
                done = n
                on_progress(saving(sitting, n))
                self.at(n)
        except StopRequested:
            return Outcome(grey(done * 10), {"iterations": done})
        return Outcome(grey(done * 10), {"iterations": done})


def files(blobs: Blobs, job: Job) -> list[str]:
    assert blobs.local_root is not None
    return sorted(path.name for path in (blobs.local_root / pictures.folder(job.id)).iterdir())


class Killed(BaseException):
    """The end of a worker that writes nothing any more."""


def killed_at(iteration: int) -> Callable[[int], None]:
    def kill(n: int) -> None:
        if n == iteration:
            raise Killed

    return kill


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full from now on."""

    def put(*_: object) -> None:
        raise StorageFull("The disk has no room.")

    monkeypatch.setattr(Blobs, "put", put)


def expire(database: Database, sweeper: Sweeper, job: Job) -> None:
    with database.write() as session:
        session.get_one(Job, job.id).lease_until = 1.0
    sweeper.sweep()


def test_the_next_attempt_goes_on_where_a_killed_worker_was(
    runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob, sweeper: Sweeper, redis_client: redis.Redis
) -> None:
    job = add_job()
    with pytest.raises(Killed):
        runtime.run_one(Stylizing, Painter(killed_at(4)))
    left = row(database, job)
    assert left.state == State.RUNNING and left.checkpoint is not None
    assert left.checkpoint["live"]["iteration"] == 4
    expire(database, sweeper, job)
    assert (row(database, job).state, row(database, job).crashes) == (State.QUEUED, 1)

    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [4]
    [resumed] = painter.resumed
    assert resumed is not None
    np.testing.assert_array_equal(resumed.canvas, np.full((5, 6, 3), 0.04, np.float32))
    assert (resumed.best is resumed.canvas, resumed.elapsed, resumed.losses) == (True, 4.0, (3.0,))
    np.testing.assert_array_equal(resumed.memory["steps"], np.ones((2, 90), np.float16))
    done = row(database, job)
    assert (done.state, done.attempt, done.checkpoint) == (State.DONE, 2, None)
    assert [frame["iteration"] for frame in done.frames or []] == list(range(1, 11)), "the run is whole"
    named = {str(frame["name"]) for frame in done.frames or []}
    assert set(files(blobs, job)) == {"content.png", "style.png", "result-2.png", *named}
    second = [event for event in events_of(redis_client, job) if event["attempt"] == 2]
    assert min(event["iteration"] for event in second) == 4
    assert [point["iteration"] for point in second[-1]["curve"]] == list(range(1, 11))


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "other seed", "other version"])
def test_a_damaged_or_foreign_checkpoint_is_left_aside_with_a_line(
    runtime: Runtime,
    database: Database,
    blobs: Blobs,
    add_job: AddJob,
    sweeper: Sweeper,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    job = add_job()
    with pytest.raises(Killed):
        runtime.run_one(Stylizing, Painter(killed_at(4)))
    left = row(database, job)
    assert left.checkpoint is not None
    key = pictures.key(job.id, left.checkpoint["name"])
    data = blobs.get(key)
    if damage == "cut":
        blobs.put(key, data[:-1])
    elif damage == "flipped":
        blobs.put(key, data[:100] + bytes([data[100] ^ 1]) + data[101:])
    elif damage == "gone":
        blobs.delete(key)
    elif damage == "other seed":
        with database.write() as session:
            session.get_one(Job, job.id).params = {**left.params, "seed": 5}
    else:
        monkeypatch.setattr("workers.runtime.checkpoint_file.VERSION", "0.0.9")
    expire(database, sweeper, job)
    painter = Painter()
    with caplog.at_level(logging.WARNING):
        runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [0]
    assert "checkpoint not used, the job begins anew" in caplog.text
    assert row(database, job).state == State.DONE


def test_a_job_put_down_at_shutdown_goes_on_from_its_very_last_step(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()
    closing: list[bool] = []
    slow = runtime.clients.settings.model_copy(update={"heartbeat_seconds": 60.0, "checkpoint_seconds": 3600.0})
    leaving = Runtime(dataclasses.replace(runtime.clients, settings=slow), shutting_down=lambda: bool(closing))
    leaving.run_one(Stylizing, Painter(lambda n: closing.append(True) if n == 5 else None))
    back = row(database, job)
    assert (back.state, back.crashes, back.lease_until, back.result) == (State.QUEUED, 0, None, None)
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [6]
    assert row(database, job).state == State.DONE


def test_a_pause_in_the_middle_of_a_long_step_goes_on_from_the_step_before(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, add_job: AddJob
) -> None:
    job = add_job()
    rare = runtime.clients.settings.model_copy(update={"checkpoint_seconds": 3600.0})
    ended: list[int] = []

    def long_step(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        for n in range(1, 4):
            on_progress(saving(sitting, n))
        service.pause(OWNER, job.id)
        for part in range(4):
            try:
                on_progress(dataclasses.replace(saving(sitting, 3), losses=None, preview=None))
            except StopRequested:
                ended.append(part)
                break
        return Outcome(grey(30))

    Runtime(dataclasses.replace(runtime.clients, settings=rare)).run_one(Stylizing, long_step)
    assert ended == [0]
    paused = row(database, job)
    assert (paused.state, paused.result) == (State.PAUSED, None)
    service.resume(OWNER, job.id)
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [3]


def test_stop_in_the_middle_of_a_long_step_keeps_the_picture_before_it(
    runtime: Runtime, database: Database, service: JobService, add_job: AddJob
) -> None:
    job = add_job()

    def long_step(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        part = dataclasses.replace(saving(sitting, 0), iteration=0, losses=None, preview=None, save=None)
        service.stop(OWNER, job.id)
        # Nothing is there to keep yet.
        on_progress(part)
        with pytest.raises(StopRequested):
            on_progress(saving(sitting, 1))
        return Outcome(grey(10))

    runtime.run_one(Stylizing, long_step)
    assert (row(database, job).state, row(database, job).stopped_early) == (State.DONE, True)

    other = add_job()

    def later_step(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(saving(sitting, 1))
        service.stop(OWNER, other.id)
        with pytest.raises(StopRequested):
            on_progress(dataclasses.replace(saving(sitting, 1), losses=None, preview=None))
        return Outcome(grey(10))

    assert runtime.run_one(Stylizing, later_step)
    assert (row(database, other).state, row(database, other).stopped_early) == (State.DONE, True)


def test_a_change_that_stopped_before_its_iteration_was_done_is_not_in_the_facts(
    runtime: Runtime, database: Database, service: JobService, add_job: AddJob
) -> None:
    job = add_job()

    def stopped(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        for n in (1, 2):
            sitting.steer()
            on_progress(saving(sitting, n))
        with runtime.clients.database.write() as session:
            current = session.get_one(Job, job.id)
            current.params = {**current.params, "strength": 7.0}
        assert sitting.steer().params.strength == 7.0
        service.stop(OWNER, job.id)
        with pytest.raises(StopRequested):
            on_progress(dataclasses.replace(saving(sitting, 2), losses=None, preview=None))
        return Outcome(grey(20))

    runtime.run_one(Stylizing, stopped)
    facts = row(database, job).facts
    assert facts is not None
    assert (facts["changes"], facts["settings"]["strength"]) == ([], 1.0)


def test_the_same_state_is_not_stored_twice(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()
    stored: list[str] = []

    def parts(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        for _ in range(3):
            on_progress(saving(sitting, 1))
            stored.append(str((row(database, job).checkpoint or {}).get("name")))
        on_progress(saving(sitting, 2))
        stored.append(str((row(database, job).checkpoint or {}).get("name")))
        return Outcome(grey(10))

    runtime.run_one(Stylizing, parts)
    assert stored[0] == stored[1] == stored[2] != stored[3]


def test_a_worker_that_shuts_down_gives_its_job_back(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()
    leaving = Runtime(runtime.clients, shutting_down=lambda: True)
    leaving.run_one(Stylizing, paints)
    back = row(database, job)
    assert (back.state, back.crashes, back.lease_until, back.result) == (State.QUEUED, 0, None, None)
    assert runtime.run_one(Stylizing, paints)
    assert (row(database, job).state, row(database, job).attempt) == (State.DONE, 2)


def test_a_step_longer_than_a_shutdown_gives_the_job_back_meanwhile(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()
    leaving = Runtime(runtime.clients, shutting_down=lambda: True)
    seen: list[str] = []

    def slow_step(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        for _ in range(100):
            time.sleep(0.05)
            seen.append(row(database, job).state)
            if seen[-1] == State.QUEUED:
                break
        on_progress(record(1))
        return Outcome(grey(10))

    leaving.run_one(Stylizing, slow_step)
    assert seen[-1] == State.QUEUED
    back = row(database, job)
    assert (back.state, back.crashes, back.result) == (State.QUEUED, 0, None)


def test_a_picture_that_is_finished_is_kept_although_the_worker_shuts_down(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()
    closing: list[bool] = []
    leaving = Runtime(runtime.clients, shutting_down=lambda: bool(closing))

    def finishing(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(record(10))
        for _ in range(2):
            on_progress(dataclasses.replace(record(10), stage="finish"))
            closing.append(True)
            time.sleep(0.3)  # beats come and go
        return Outcome(grey(100))

    leaving.run_one(Stylizing, finishing)
    assert (row(database, job).state, row(database, job).stopped_early) == (State.DONE, False)


def test_a_state_that_is_being_stored_is_the_one_that_is_given_back(
    runtime: Runtime, database: Database, add_job: AddJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    closing: list[bool] = []
    storing: list[bool] = []
    rarely = runtime.clients.settings.model_copy(update={"checkpoint_seconds": 3600.0})
    leaving = Runtime(
        dataclasses.replace(runtime.clients, settings=rarely),
        # Nothing is to be heard between two steps, which this test is not about.
        shutting_down=lambda: bool(closing) and (bool(storing) or threading.current_thread() is threading.main_thread()),
    )
    stored = Blobs.put

    def slowly(blobs: Blobs, key: str, data: bytes) -> None:
        if "checkpoint" in key:
            storing.append(True)
            time.sleep(0.3)  # beats come and go
        stored(blobs, key, data)

    monkeypatch.setattr(Blobs, "put", slowly)
    leaving.run_one(Stylizing, Painter(lambda n: closing.append(True) if n == 4 else None))
    assert (row(database, job).state, bool(storing)) == (State.QUEUED, True)
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert painter.begun_at == [5]


def test_a_heartbeat_that_meets_the_unforeseen_beats_on(
    runtime: Runtime, database: Database, add_job: AddJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    failures: list[int] = []

    def fail(*_: object, **__: object) -> Job:
        failures.append(1)
        raise RuntimeError("read-only transaction")

    def paint(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        with monkeypatch.context() as broken:
            broken.setattr(repository, "write_claimed", fail)
            wait_until(lambda: bool(failures))
        lease = row(database, job).lease_until
        wait_until(lambda: row(database, job).lease_until != lease)
        on_progress(record(1))
        return Outcome(grey(10))

    runtime.run_one(Stylizing, paint)
    assert row(database, job).state == State.DONE


def wait_until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_workers_that_die_are_forgiven_while_the_picture_gets_on(
    runtime: Runtime, database: Database, add_job: AddJob, sweeper: Sweeper
) -> None:
    job = add_job()
    for step in range(1, runtime.clients.settings.max_crashes + 2):
        with pytest.raises(Killed):
            runtime.run_one(Stylizing, Painter(killed_at(step)))
        expire(database, sweeper, job)
        assert (row(database, job).state, row(database, job).crashes) == (State.QUEUED, 1)
