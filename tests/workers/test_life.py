"""A job's life around an engine. The engine here is a function of the test; everything else is real."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import pytest
import redis
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy.orm import Session

from app.core.commission import Commission
from app.core.config import Settings
from app.core.errors import EngineError, StorageFull, Unavailable
from app.core.progress import Losses, OnProgress, Progress, StopRequested
from app.core.steering import STEERABLE
from app.imaging import encode
from app.infra.blobs import Blobs
from app.infra.clients import Clients
from app.infra.database import Database
from app.infra.streams import EventWriter
from app.jobs import pictures, repository
from app.jobs.models import Job, State
from app.jobs.service import JobService
from workers.runtime.life import HUNG_EXIT_STATUS, Runtime, time_limit
from workers.runtime.stylizing import Outcome, Sitting, Stylizing

AddJob = Callable[..., Job]
OWNER = "a" * 32


def grey(value: int) -> np.ndarray:
    return np.full((40, 60, 3), value, np.uint8)


def record(iteration: int, of: int = 10, preview: int | None = 0) -> Progress:
    picture = None if preview is None else grey(iteration * 10)
    return Progress("refine", 60, iteration, of, iteration / of, Losses(1.0, 2.0, 0.0, 3.0), iteration * 0.1, 1.0, picture)


def paints(sitting: Sitting, on_progress: OnProgress) -> Outcome:
    """Ten iterations; keeps the last picture when asked to stop, as the engine does."""
    best = 0
    try:
        for n in range(1, 11):
            on_progress(record(n))
            best = n
            time.sleep(0.02)
    except StopRequested:
        best = max(best, 1)
    return Outcome(grey(best * 10), {"iterations": best})


@pytest.fixture
def runtime(clients: Clients) -> Runtime:
    quick = clients.settings.model_copy(update={"heartbeat_seconds": 0.05, "lease_seconds": 2.0, "preview_seconds": 0.0})
    return Runtime(dataclasses.replace(clients, settings=quick))


def row(database: Database, job: Job) -> Job:
    with database.read() as session:
        return session.get_one(Job, job.id)


def events_of(client: redis.Redis, job: Job) -> list[dict[str, object]]:
    return [json.loads(fields[b"event"]) for _, fields in client.xrange(f"pentimento:events:{job.id}")]


def test_a_job_is_painted_stored_and_told(
    runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob, redis_client: redis.Redis
) -> None:
    job = add_job()
    assert runtime.run_one(Stylizing, paints)
    done = row(database, job)
    assert (done.state, done.attempt, done.stopped_early, done.error) == (State.DONE, 1, False, None)
    settings = {name: float(done.params[name]) for name in STEERABLE} | {"weight_1": 1.0}
    assert done.facts == {"iterations": 10, "notes": [], "changes": [], "resumed_at": None, "settings": settings}
    assert done.result is not None
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(job.id, done.result))), grey(100))
    told = events_of(redis_client, job)
    assert [told[0]["state"], told[-1]["state"]] == ["running", "done"]
    percents = [event["percent"] for event in told]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    previews = list(dict.fromkeys(event["preview"] for event in told if event["preview"]))
    assert len(previews) == 10
    assert blobs.local_root is not None
    left = sorted(path.name for path in (blobs.local_root / pictures.folder(job.id)).iterdir())
    frames = [f"preview-1-{n:04d}.jpg" for n in range(1, 11)]
    assert left == ["content.png", *frames, "result-1.png", "style.png"]
    assert done.frames == [{"iteration": n, "name": name} for n, name in enumerate(frames, start=1)]
    assert not runtime.run_one(Stylizing, paints), "nothing was left to claim"


def test_the_engine_gets_the_stored_pictures_and_parameters(runtime: Runtime, blobs: Blobs, add_job: AddJob) -> None:
    job = add_job(params={"size": 64, "seed": 7})
    seen: list[Commission] = []

    def look(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        seen.append(sitting.commission)
        return Outcome(grey(0))

    runtime.run_one(Stylizing, look)
    assert (seen[0].params.size, seen[0].params.seed) == (64, 7)
    np.testing.assert_array_equal(seen[0].content, encode.read_rgb(blobs.get(pictures.key(job.id, "content.png"))))


def test_stop_keeps_the_best_picture_as_done(
    runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob, service: JobService
) -> None:
    job = add_job()

    def stopped(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(record(1))
        service.stop(OWNER, job.id)
        time.sleep(0.25)
        with pytest.raises(StopRequested):
            on_progress(record(2))
        return Outcome(grey(20))

    runtime.run_one(Stylizing, stopped)
    done = row(database, job)
    assert (done.state, done.stopped_early) == (State.DONE, True)
    assert done.result is not None
    np.testing.assert_array_equal(encode.read_rgb(blobs.get(pictures.key(job.id, done.result))), grey(20))


def test_stop_while_waiting_ends_with_the_first_picture(runtime: Runtime, database: Database, add_job: AddJob, service: JobService) -> None:
    job = add_job()
    service.stop(OWNER, job.id)
    calls: list[int] = []

    def first(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(record(0, preview=None))
        calls.append(0)
        try:
            on_progress(record(1))
        except StopRequested:
            calls.append(1)
        return Outcome(grey(10))

    runtime.run_one(Stylizing, first)
    assert calls == [0, 1]
    done = row(database, job)
    assert (done.state, done.stopped_early) == (State.DONE, True)


def test_cancel_while_running_ends_as_cancelled_and_keeps_the_picture(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService, redis_client: redis.Redis
) -> None:
    job = add_job()

    def cancelled(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(record(1))
        service.cancel(OWNER, job.id)
        time.sleep(0.25)
        with pytest.raises(StopRequested):
            on_progress(record(2))
        return Outcome(grey(10))

    runtime.run_one(Stylizing, cancelled)
    ended = row(database, job)
    assert (ended.state, ended.stopped_early) == (State.CANCELLED, False)
    assert ended.result is not None
    np.testing.assert_array_equal(encode.read_rgb(runtime.clients.blobs.get(pictures.key(job.id, ended.result))), grey(10))
    assert events_of(redis_client, job)[-1]["state"] == "cancelled"


def test_cancel_while_waiting_is_at_once_and_never_claimed(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService
) -> None:
    job = add_job()
    service.cancel(OWNER, job.id)
    assert row(database, job).state == State.CANCELLED
    assert not runtime.run_one(Stylizing, paints)


def test_an_error_of_the_engine_is_told_in_its_words(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()

    def fails(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        raise EngineError("The loss is no longer a number.")

    runtime.run_one(Stylizing, fails)
    assert (row(database, job).state, row(database, job).error) == (State.FAILED, "The loss is no longer a number.")


def test_an_unforeseen_error_fails_the_job_without_its_details(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()

    def breaks(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        raise KeyError("secret detail")

    runtime.run_one(Stylizing, breaks)
    failed = row(database, job)
    assert failed.state == State.FAILED
    assert "secret" not in (failed.error or "secret")


def test_a_lost_lease_writes_nothing(runtime: Runtime, database: Database, blobs: Blobs, add_job: AddJob) -> None:
    job = add_job()

    def overtaken(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        with database.write() as session:
            session.get_one(Job, job.id).attempt = 2
        return Outcome(grey(1))

    runtime.run_one(Stylizing, overtaken)
    left = row(database, job)
    assert (left.state, left.attempt, left.result) == (State.RUNNING, 2, None)


def test_the_lease_is_renewed_while_the_engine_is_busy(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()
    leases: list[float] = []

    def busy(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        ends = time.monotonic() + 10
        while time.monotonic() < ends and (not leases or leases[-1] <= leases[0] + 0.15):
            leases.append(row(database, job).lease_until or 0)
            time.sleep(0.05)
        return Outcome(grey(1))

    runtime.run_one(Stylizing, busy)
    assert leases[-1] > leases[0] + 0.15


def test_the_same_wake_up_many_times_gives_one_result(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()
    painted: list[int] = []

    def counts(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        painted.append(1)
        return paints(sitting, on_progress)

    threads = [threading.Thread(target=runtime.run_one, args=(Stylizing, counts)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert painted == [1]
    assert row(database, job).state == State.DONE


def test_events_are_lost_without_harm_when_the_broker_is_away(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()
    away = EventWriter(redis.Redis.from_url("redis://127.0.0.1:1/0"))
    assert Runtime(dataclasses.replace(runtime.clients, events=away)).run_one(Stylizing, paints)
    assert row(database, job).state == State.DONE


def test_a_moment_without_database_or_storage_does_not_end_a_job(
    runtime: Runtime, database: Database, add_job: AddJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    monkeypatch.setattr("workers.runtime.life._RETRY_SECONDS", (0.01, 0.01))
    away = {"database": 0, "storage": 0}
    put, write = Blobs.put, Database.write

    def flaky_put(self: Blobs, key: str, data: bytes) -> None:
        if away["storage"] > 0:
            away["storage"] -= 1
            raise StorageFull("for a moment")
        put(self, key, data)

    def flaky_write(self: Database) -> AbstractContextManager[Session]:
        if away["database"] > 0 and threading.current_thread() is threading.main_thread():
            away["database"] -= 1
            raise Unavailable("for a moment")
        return write(self)

    monkeypatch.setattr(Blobs, "put", flaky_put)
    monkeypatch.setattr(Database, "write", flaky_write)

    def troubled(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(record(1))
        away.update(database=1, storage=1)
        on_progress(record(2))
        on_progress(record(3))
        assert away == {"database": 0, "storage": 0}, "both were met"
        away.update(database=2, storage=2)
        return Outcome(grey(50))

    runtime.run_one(Stylizing, troubled)
    assert away == {"database": 0, "storage": 0}
    assert row(database, job).state == State.DONE


def test_a_database_that_stays_away_leaves_the_job_to_its_lease(
    runtime: Runtime, database: Database, add_job: AddJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    monkeypatch.setattr("workers.runtime.life._RETRY_SECONDS", (0.01,))
    write = Database.write

    def gone(self: Database) -> AbstractContextManager[Session]:
        raise Unavailable("for long")

    def outlived(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        monkeypatch.setattr(Database, "write", gone)
        return Outcome(grey(50))

    runtime.run_one(Stylizing, outlived)
    monkeypatch.setattr(Database, "write", write)
    left = row(database, job)
    assert (left.state, left.error) == (State.RUNNING, None)


def test_a_job_over_the_time_limit_ends_with_its_picture(
    runtime: Runtime, database: Database, add_job: AddJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = add_job()
    monkeypatch.setattr("workers.runtime.life._LOOK_EVERY_SECONDS", 0.0)
    short = runtime.clients.settings.model_copy(update={"hard_limit_seconds": 0.2})
    Runtime(dataclasses.replace(runtime.clients, settings=short)).run_one(Stylizing, paints)
    ended = row(database, job)
    assert (ended.state, ended.stopped_early) == (State.DONE, True)
    assert ended.facts is not None
    assert 0 < ended.facts["iterations"] < 10
    [note] = ended.facts["notes"]
    assert note.startswith("It did not get further: this took longer than the 0.1 seconds after which a job is ended.")
    assert (ended.progress or {})["notes"] == [note]


def test_a_stop_that_was_asked_for_and_a_picture_that_is_as_good_as_done_are_not_put_down_to_the_time_limit(
    runtime: Runtime, database: Database, add_job: AddJob, service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runtime.life._LOOK_EVERY_SECONDS", 0.0)
    short = runtime.clients.settings.model_copy(update={"hard_limit_seconds": 0.0002})
    asked, done = add_job(), add_job()
    service.stop(OWNER, asked.id)

    def as_good_as_done(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        on_progress(dataclasses.replace(record(10), stage="finish"))
        return Outcome(grey(100))

    late = Runtime(dataclasses.replace(runtime.clients, settings=short))
    late.run_one(Stylizing, paints)
    late.run_one(Stylizing, as_good_as_done)
    ended = [row(database, job) for job in (asked, done)]
    assert [(one.state, one.stopped_early, (one.facts or {})["notes"]) for one in ended] == [
        (State.DONE, True, []),
        (State.DONE, False, []),
    ]


@pytest.mark.parametrize(("hard", "seconds"), [(21600, 21000), (1200, 600), (900, 450), (6, 3)])
def test_a_job_is_ended_ten_minutes_before_the_hard_limit_or_at_half_of_a_short_one(hard: float, seconds: float) -> None:
    assert time_limit(hard) == seconds


def test_a_job_that_is_warned_of_the_hard_limit_fails_in_plain_words(runtime: Runtime, database: Database, add_job: AddJob) -> None:
    job = add_job()

    def warned(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        raise SoftTimeLimitExceeded

    runtime.run_one(Stylizing, warned)
    ended = row(database, job)
    assert ended.state == State.FAILED
    assert ended.error is not None and ended.error.startswith("This took longer than the 21600 seconds that a job may take")


def test_a_hung_engine_ends_its_process_and_lets_the_lease_run_out(settings: Settings, database: Database, add_job: AddJob) -> None:
    job = add_job()
    script = (
        "import time, redis\n"
        "from app.core.config import Settings\n"
        "from app.infra.clients import Clients\n"
        "from workers.runtime.life import Runtime\n"
        "from workers.runtime.stylizing import Stylizing\n"
        "s = Settings()\n"
        "c = redis.Redis.from_url(s.redis_url)\n"
        "r = Runtime(Clients.of(s, c))\n"
        "r.run_one(Stylizing, lambda sitting, on_progress: time.sleep(60))\n"
    )
    env = os.environ | {
        "PENTIMENTO_DATA_DIR": str(settings.data),
        "PENTIMENTO_REDIS_URL": settings.redis_url or "",
        "PENTIMENTO_LEASE_SECONDS": "0.5",
        "PENTIMENTO_HEARTBEAT_SECONDS": "0.1",
        "PENTIMENTO_STALL_SECONDS": "0.5",
    }
    process = subprocess.run([sys.executable, "-c", script], env=env, timeout=50, check=False)
    assert process.returncode == HUNG_EXIT_STATUS
    time.sleep(0.6)
    with database.write() as session:
        assert [expired.id for expired in repository.expired(session)] == [job.id]
