"""Jobs that fail, or kill their workers, once a state is stored: they end with the picture that it has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import redis

from app.core.errors import EngineError, NotReady, StorageFull
from app.core.progress import OnProgress
from app.imaging import encode
from app.infra.blobs import Blobs
from app.infra.database import Database
from app.jobs import pictures
from app.jobs.models import Job, State
from app.jobs.service import JobService
from app.jobs.sweeper import Sweeper
from tests.workers.test_life import OWNER, events_of, grey, row
from tests.workers.test_put_down import Killed, Painter, expire, files, killed_at
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing

DATABASES = ("sqlite", "postgresql")

AddJob = Callable[..., Job]


def fails_at(iteration: int) -> Callable[[int], None]:
    def fail(n: int) -> None:
        if n == iteration:
            raise EngineError("Not enough memory.")

    return fail


def fails_at_once(sitting: Sitting, on_progress: OnProgress) -> Outcome:
    raise MemoryError


def dies(sitting: Sitting, on_progress: OnProgress) -> Outcome:
    raise Killed


def pause_and_resume(runtime: Runtime, service: JobService, job: Job) -> None:
    """Let the job be paused during its fifth iteration, and wait again."""
    runtime.run_one(Stylizing, Painter(lambda n: service.pause(OWNER, job.id) if n == 4 else None))
    service.resume(OWNER, job.id)


def kill(runtime: Runtime, sweeper: Sweeper, job: Job, times: int, last: Callable[[], object] = lambda: None) -> None:
    """Let the job kill as many workers, each settled by a sweep: the first at its sixth iteration, those after it at once.

    Args:
        last: is done while the last one is dead, and nobody knows.
    """
    database = runtime.clients.database
    for number in range(times):
        assert row(database, job).state == State.QUEUED
        with pytest.raises(Killed):
            runtime.run_one(Stylizing, dies if number else Painter(killed_at(6)))
        if number == times - 1:
            last()
        expire(database, sweeper, job)


@pytest.mark.parametrize("paused_before", [False, True])
def test_a_failure_ends_with_the_newest_state_that_is_stored_and_says_why(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, add_job: AddJob, redis_client: redis.Redis, paused_before: bool
) -> None:
    job = add_job()
    if paused_before:
        pause_and_resume(runtime, service, job)
    runtime.run_one(Stylizing, Painter(fails_at(8)))
    waits = row(database, job)
    assert (waits.state, waits.stop_requested, waits.error, waits.crashes) == (State.QUEUED, True, None, 0)
    last, told = events_of(redis_client, job)[-1], service.event(OWNER, job.id)
    assert (last["state"], last["stopping"], last["iteration"]) == (told.state, told.stopping, told.iteration) == ("queued", True, 8)
    assert last["notes"] == told.notes == ["It did not get further: Not enough memory"]
    with pytest.raises(NotReady, match="about to end"):
        service.change(OWNER, job.id, {"strength": 3.0})
    painter = Painter()
    assert runtime.run_one(Stylizing, painter)
    assert (painter.begun_at, painter.strengths) == ([8], []), "nothing is worked on"
    ended = row(database, job)
    assert (ended.state, ended.stopped_early, ended.error, ended.checkpoint) == (State.DONE, True, None, None)
    assert ended.facts is not None and ended.result is not None
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(job.id, ended.result))), grey(80))
    assert (ended.facts["iterations"], ended.facts["notes"]) == (8, ["It did not get further: Not enough memory"])
    assert service.event(OWNER, job.id).notes == ["It did not get further: Not enough memory"]
    assert [name for name in files(blobs, job) if name.startswith(("checkpoint", "result"))] == [ended.result]
    assert {str(frame["name"]) for frame in ended.frames or []} <= set(files(blobs, job))


@pytest.mark.parametrize("paused_before", [False, True])
def test_where_the_end_with_what_is_stored_fails_too_that_is_the_end(
    runtime: Runtime, database: Database, blobs: Blobs, service: JobService, add_job: AddJob, paused_before: bool
) -> None:
    job = add_job()
    if paused_before:
        pause_and_resume(runtime, service, job)
    runtime.run_one(Stylizing, Painter(fails_at(8)))
    assert runtime.run_one(Stylizing, fails_at_once)
    ended, told = row(database, job), service.event(OWNER, job.id)
    if paused_before:
        assert (ended.state, ended.result, ended.error) == (State.DONE, "result-1.png", None)
        # Figures and run are those of the picture, and both reasons are told.
        assert (told.iteration, [frame["iteration"] for frame in ended.frames or []]) == (5, [1, 2, 3, 4, 5])
        both = [f"It did not get further: {reason}" for reason in ("Not enough memory", Stylizing.too_large.removesuffix("."))]
        assert told.notes == (ended.facts or {})["notes"] == both
        assert {str(frame["name"]) for frame in ended.frames or []} <= set(files(blobs, job))
    else:
        assert (ended.state, ended.result, ended.error) == (State.FAILED, None, Stylizing.too_large)
    assert ended.checkpoint is None
    assert not [name for name in files(blobs, job) if name.startswith("checkpoint")]


def test_an_end_for_which_the_state_is_not_there_is_none(runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob) -> None:
    job = add_job()
    runtime.run_one(Stylizing, Painter(fails_at(8)))
    left = row(database, job).checkpoint
    assert left is not None
    blobs.put(pictures.key(job.id, left["name"]), b"damaged")
    painter = Painter()
    runtime.run_one(Stylizing, painter)
    ended = row(database, job)
    assert (painter.begun_at, ended.state, ended.error) == ([], State.FAILED, "Not enough memory.")
    progress = ended.progress or {}
    assert (progress["iteration"], progress["notes"]) == (8, ["It did not get further: Not enough memory"]), "as far as it got, and once"


def test_a_state_that_cannot_be_read_at_the_moment_is_not_lost(
    runtime: Runtime, database: Database, add_job: AddJob, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    kill(runtime, sweeper, job, 1)
    get, away = Blobs.get, [OSError(5, "Input/output error")]

    def read(blobs: Blobs, key: str) -> bytes:
        if "checkpoint" in key and away:
            raise away[0]
        return get(blobs, key)

    monkeypatch.setattr(Blobs, "get", read)
    monkeypatch.setattr("workers.runtime.life._RETRY_SECONDS", (0.0, 0.0))
    runtime.run_one(Stylizing, Painter())
    waits = row(database, job)
    assert (waits.state, waits.stop_requested) == (State.QUEUED, True), "it may still be had"
    monkeypatch.setattr("workers.runtime.life.time.sleep", lambda _: away.clear())
    painter = Painter()
    runtime.run_one(Stylizing, painter)
    assert (painter.begun_at, row(database, job).state) == ([6], State.DONE)


def test_a_cancelled_picture_is_kept_though_no_preview_of_it_could_be_stored(
    runtime: Runtime,
    database: Database,
    blobs: Blobs,
    service: JobService,
    add_job: AddJob,
    sweeper: Sweeper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job, put = add_job(), Blobs.put

    def store(blobs: Blobs, key: str, data: bytes) -> None:
        if "preview" in key:
            raise StorageFull("The disk has no room.")
        put(blobs, key, data)

    kill(runtime, sweeper, job, 1)
    # Of an earlier version's state there may be no frames either.
    with database.write() as session:
        left = session.get_one(Job, job.id)
        left.checkpoint = {**(left.checkpoint or {}), "frames": []}
    service.cancel(OWNER, job.id)
    monkeypatch.setattr(Blobs, "put", store)
    runtime.run_one(Stylizing, Painter())
    ended = row(database, job)
    assert ended.state == State.CANCELLED and ended.result is not None
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(job.id, ended.result))), grey(60))


def test_a_state_that_could_not_be_gone_on_from_is_nothing_to_end_with(
    runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob
) -> None:
    job = add_job()
    with pytest.raises(Killed):
        runtime.run_one(Stylizing, Painter(killed_at(6)))
    left = row(database, job).checkpoint
    assert left is not None
    blobs.put(pictures.key(job.id, left["name"]), b"damaged")
    with database.write() as session:
        session.get_one(Job, job.id).state = State.QUEUED
    runtime.run_one(Stylizing, fails_at_once)
    ended = row(database, job)
    assert (ended.state, ended.error) == (State.FAILED, Stylizing.too_large)


def test_a_picture_of_a_dataset_is_whole_or_not_at_all(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job(parent="dataset")
    runtime.run_one(Stylizing, Painter(fails_at(8)))
    assert row(database, job).state == State.FAILED


def test_a_job_that_kills_each_worker_ends_with_its_newest_state(
    runtime: Runtime, database: Database, blobs: Blobs, sweeper: Sweeper, add_job: AddJob
) -> None:
    job, most = add_job(), runtime.clients.settings.max_crashes
    kill(runtime, sweeper, job, most)
    waits = row(database, job)
    assert (waits.state, waits.stop_requested, waits.crashes) == (State.QUEUED, True, most)
    runtime.run_one(Stylizing, Painter())
    ended = row(database, job)
    assert (ended.state, ended.stopped_early) == (State.DONE, True)
    assert ended.facts is not None and ended.result is not None
    [note] = ended.facts["notes"]
    assert note.startswith(f"It did not get further: The worker died {most} times while painting this picture")
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(job.id, ended.result))), grey(60))


def test_a_job_that_kills_the_worker_that_is_to_end_it_fails(
    runtime: Runtime, database: Database, blobs: Blobs, sweeper: Sweeper, add_job: AddJob
) -> None:
    job, most = add_job(), runtime.clients.settings.max_crashes
    kill(runtime, sweeper, job, most + 1)
    ended = row(database, job)
    assert (ended.state, ended.crashes, ended.checkpoint) == (State.FAILED, most + 1, None)
    assert ended.error is not None and ended.error.startswith(f"The worker died {most + 1} times")
    assert not [name for name in files(blobs, job) if name.startswith("checkpoint")]


@pytest.mark.parametrize("wish", ["stop", "cancel"])
def test_a_wish_that_comes_when_the_last_worker_is_dead_already_costs_nothing(
    runtime: Runtime, database: Database, blobs: Blobs, sweeper: Sweeper, service: JobService, add_job: AddJob, wish: str
) -> None:
    job = add_job()
    kill(runtime, sweeper, job, runtime.clients.settings.max_crashes, lambda: getattr(service, wish)(OWNER, job.id))
    assert row(database, job).state == State.QUEUED
    runtime.run_one(Stylizing, Painter())
    ended = row(database, job)
    assert (ended.state, ended.stopped_early) == ((State.DONE, True) if wish == "stop" else (State.CANCELLED, False))
    assert ended.result is not None
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(job.id, ended.result))), grey(60))


@pytest.mark.parametrize("then", ["ends", "fails"])
def test_a_failure_counts_once(runtime: Runtime, add_job: AddJob, sweeper: Sweeper, then: str) -> None:
    def failures() -> dict[str, float]:
        return {count.about["reason"]: count.value for count in runtime.clients.tally.read() if count.name == "failures"}

    add_job()
    runtime.run_one(Stylizing, Painter(fails_at(8)))
    runtime.run_one(Stylizing, Painter() if then == "ends" else fails_at_once)
    assert sum(failures().values()) == 1
    job, most = add_job(), runtime.clients.settings.max_crashes
    kill(runtime, sweeper, job, most if then == "ends" else most + 1)
    if then == "ends":
        runtime.run_one(Stylizing, Painter())
    assert failures()["crashes"] == 1
