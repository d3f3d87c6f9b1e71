"""A job's life around any engine: claim, heartbeat, progress, stop and cancel, commit."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from billiard.exceptions import SoftTimeLimitExceeded
from redis.exceptions import RedisError
from sqlalchemy import case

from app.core.errors import PentimentoError, StorageFull, Unavailable
from app.core.logging import about
from app.core.progress import StopRequested
from app.infra.clients import Clients
from app.infra.database import db_now
from app.jobs import repository
from app.jobs.events import Live
from app.jobs.models import TASKS, Job, State
from workers.runtime.kind import A, Kind, O, P

log = logging.getLogger(__name__)

# How often the row is read for its flags and an event is sent, and how often figures are written to it.
_LOOK_EVERY_SECONDS = 0.2
_WRITE_EVERY_SECONDS = 2.0
_RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
# How long before Celery's hard limit would kill it a job ends as if it had been stopped.
_ROOM_TO_END_SECONDS = 600.0
_TOO_LONG = "This took longer than the {:g} seconds that a job may take, so it was given up. Try a smaller size, or fewer steps."
_OVERDUE = "this took longer than the {:g} seconds after which a job is ended. Paint 200 more, or try a smaller size, or fewer steps"
HUNG_EXIT_STATUS = 70

T = TypeVar("T")
Work = Callable[[A, Callable[[P], None]], O]


class LeaseLost(Exception):
    """Another worker has the job now, or it was ended: nothing more may be written."""


def time_limit(hard: float) -> float:
    """Return the seconds after which a job is to end with what it has, where it is killed after ``hard`` seconds."""
    return max(hard - _ROOM_TO_END_SECONDS, hard / 2)


def _at_rest() -> dict[str, Any]:
    """Return the columns of a job that no worker has: paused if that is still wanted at the moment of writing."""
    return {"state": case((Job.pause_requested, State.PAUSED), else_=State.QUEUED), "lease_until": None, "pause_requested": False}


@dataclass(frozen=True)
class Runtime:
    clients: Clients
    shutting_down: Callable[[], bool] = lambda: False

    def run_one(self, kind: type[Kind[A, P, O]], work: Work[A, P, O]) -> bool:
        """Claim the fairest job of ``kind`` and carry it to its end. False: none was waiting."""
        with self.clients.database.write() as session:
            job = repository.claim(session, kind.name, self.clients.settings.lease_seconds)
        if job is None:
            return False
        with about(job=job.id, attempt=job.attempt):
            log.info("claimed: job=%s kind=%s attempt=%d", job.id, job.kind, job.attempt)
            if job.attempt == 1 and job.started_at is not None:
                self.clients.tally.add("waiting_seconds", max(0.0, job.started_at - job.created_at), kind=job.kind)
                self.clients.tally.add("waiting", kind=job.kind)
            _Attempt(self, kind(self.clients, job), job).carry_out(work)
        return True


class _Attempt(Generic[A, P, O]):
    """One attempt at one job."""

    def __init__(self, runtime: Runtime, kind: Kind[A, P, O], job: Job) -> None:
        self._clients = runtime.clients
        self._settings = runtime.clients.settings
        self._shutting_down = runtime.shutting_down
        self._kind = kind
        self._job = job
        self._live = Live()
        # As the claim found it; an attempt that is only to end the job need not look.
        self._stop, self._cancel, self._pause = job.stop_requested, job.cancel_requested, False
        # Nobody asked for the stop: it is time.
        self._overdue = False
        # What was made is being stored: too late to give the job back.
        self._storing = False
        # Columns that name what the next attempt goes on from, once this one is to be put down.
        self._left: dict[str, Any] | None = None
        self._looked = self._written = float("-inf")
        self._began = self._moved = time.monotonic()
        # The iteration that this attempt goes on from.
        self._from = 0

    def carry_out(self, work: Work[A, P, O]) -> None:
        ended = threading.Event()
        heartbeat = threading.Thread(target=copy_context().run, args=(self._beat, ended), name="heartbeat", daemon=True)
        heartbeat.start()
        try:
            self._work(work)
        except LeaseLost:
            log.warning("lease lost, nothing written: job=%s attempt=%d", self._job.id, self._job.attempt)
        except (Unavailable, StorageFull) as error:
            # No verdict on the job: its lease runs out, and the sweeper queues it again.
            log.error("left to its lease: job=%s attempt=%d %s", self._job.id, self._job.attempt, error.message)
        finally:
            ended.set()
            heartbeat.join()
            self._kind.close()

    def _work(self, work: Work[A, P, O]) -> None:
        """Work until there is an end, which what goes wrong has, too."""
        try:
            self._live = self._patiently(self._kind.begin)
            self._from = self._iterations()
            self._publish(self._job)
            self._finish(work(self._patiently(self._kind.assignment), self._on_progress))
        except (LeaseLost, Unavailable):
            raise
        except StopRequested:
            self._end_empty()
        except PentimentoError as error:
            self._fail(error.message, error.code)
        except MemoryError:
            self._fail(self._kind.too_large, "memory")
        except SoftTimeLimitExceeded:
            # Otherwise this process is killed a moment later, and the job begins again.
            self._fail(_TOO_LONG.format(self._settings.hard_limit_seconds), "time_limit")
        except Exception:
            log.exception("job failed: job=%s attempt=%d", self._job.id, self._job.attempt)
            self._fail(self._kind.broken, "broken")

    def _on_progress(self, progress: P) -> None:
        self._moved = time.monotonic()
        self._live = self._kind.live(progress)
        try:
            self._show(progress)
        except (Unavailable, StorageFull, OSError) as error:
            # A step that is not shown is no reason to stop working.
            log.warning("step not shown: job=%s %s", self._job.id, error)
        self._obey(progress)

    def _show(self, progress: P) -> None:
        """Send an event when one is due, from a row that also tells the flags."""
        columns = self._kept(progress)
        moment = time.monotonic()
        if not columns and moment - self._looked < _LOOK_EVERY_SECONDS:
            return
        self._looked = moment
        if columns or moment - self._written >= _WRITE_EVERY_SECONDS:
            self._written = moment
            row = self._write(**columns, progress=self._live.model_dump(mode="json"))
            self._kind.kept(row)
        else:
            row = self._read()
        late = moment - self._began > time_limit(self._settings.hard_limit_seconds)
        self._overdue = late and not row.stop_requested and not self._kind.is_finishing(progress)
        self._stop = row.stop_requested or self._overdue
        self._cancel, self._pause = row.cancel_requested, row.pause_requested
        self._publish(row)

    def _kept(self, progress: P) -> dict[str, Any]:
        try:
            return self._kind.keep(progress)
        except (Unavailable, StorageFull, OSError) as error:
            # The flags are to be looked at all the same: a full disk must not make a job deaf.
            log.warning("step not kept: job=%s %s", self._job.id, error)
            return {}

    def _obey(self, progress: P) -> None:
        """Raise when the job's flags or a shutdown say so."""
        if self._kind.is_finishing(progress):
            self._storing = True
            return
        if self._cancel and not self._kind.is_coming_back(progress):
            raise StopRequested
        if self._stop and self._kind.has_something(progress):
            raise StopRequested
        if self._pause or self._shutting_down():
            self._storing = True
            self._left = self._state_after(progress)
            raise StopRequested

    def _state_after(self, progress: P) -> dict[str, Any]:
        try:
            return self._kind.put_down(progress)
        except (Unavailable, StorageFull, OSError) as error:
            log.warning("state not stored, the one before it is good: job=%s %s", self._job.id, error)
            return {}

    def _finish(self, outcome: O) -> None:
        self._storing = True
        if self._left is not None:
            self._put_down(self._held(outcome, self._left) if self._pause else self._left)
            return
        stopped = self._stop and not self._cancel
        if self._overdue and not self._cancel:
            self._live = self._kind.cut_short(self._live, _OVERDUE.format(time_limit(self._settings.hard_limit_seconds)))
        before = self._kind.surpassed() if self._cancel or stopped else None
        try:
            if before is not None:
                columns: dict[str, Any] | None = {**self._taken(before), "stopped_early": stopped}
            else:
                columns = self._patiently(lambda: self._kind.result(outcome, cancelled=self._cancel, stopped=stopped))
        except StorageFull as error:
            if not self._cancel:
                raise
            # Its owner wants it to end: that there is no room for its picture does not make it a failure.
            log.warning("cancelled without its picture: job=%s %s", self._job.id, error)
            columns = None
        if columns is None:
            self._end_empty()
        else:
            self._end(State.CANCELLED if self._cancel else State.DONE, **columns)

    def _held(self, outcome: O, left: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._patiently(lambda: self._kind.held(outcome, left))
        except (Unavailable, StorageFull, OSError) as error:
            log.warning("picture of the pause not stored: job=%s %s", self._job.id, error)
            return left

    def _end_empty(self) -> None:
        if self._cancel:
            salvaged = self._kind.salvaged()
            self._end(State.CANCELLED, **(self._taken(salvaged) if salvaged else {}))
        elif self._left is not None:
            self._put_down(self._left)
        else:
            self._fail(self._kind.empty, "empty")

    def _put_down(self, columns: dict[str, Any]) -> None:
        """Give the job back: its owner pauses it, this worker is shutting down, or another attempt is to end it."""
        row = self._patiently(lambda: self._write(**{**_at_rest(), **columns}, progress=self._live.model_dump(mode="json")))
        log.info("put down: job=%s attempt=%d state=%s", self._job.id, self._job.attempt, row.state)
        self._count("put_down")
        self._kind.kept(row)
        self._publish(row)
        if row.state == State.QUEUED:
            self._clients.broker.wake(TASKS[row.kind], row.kind, row.id)

    def _fail(self, message: str, reason: str) -> None:
        """End as failed, or as done with what is left to show, if need be by another attempt; ``reason`` is for the metrics."""
        # A job that fails, and then the attempt to end it, has failed once; and one that was called off has not.
        counts = not self._cancel and not self._kind.is_ending
        ending = self._kind.to_end("" if self._cancel else message)
        if ending is not None:
            self._live, columns = ending
            self._put_down(columns)
        elif self._cancel:
            log.warning("failed once it was cancelled: job=%s %s", self._job.id, message)
            self._end_empty()
        elif (salvaged := self._kind.salvaged(message)) is not None:
            self._end(State.DONE, **self._taken(salvaged), stopped_early=True)
        else:
            self._end(State.FAILED, error=message)
        if counts:
            self._clients.tally.add("failures", kind=self._job.kind, reason=reason)

    def _taken(self, before: tuple[Live, dict[str, Any]]) -> dict[str, Any]:
        """Tell from now on of what an earlier attempt made, and return its columns; what this one did is counted as it is."""
        done = self._iterations()
        self._live, columns = before
        self._from += self._iterations() - done
        return columns

    def _end(self, state: State, **columns: Any) -> None:
        """Commit the end together with the job that follows from it, then tell of both."""
        columns |= {
            "state": state,
            "lease_until": None,
            "pause_requested": False,
            "checkpoint": None,
            "finished_at": db_now(),
            "progress": self._live.model_dump(mode="json"),
        }

        def commit() -> tuple[Job, Job | None]:
            with self._clients.database.write() as session:
                row = repository.write_claimed(session, self._job.id, self._job.attempt, **columns)
                if row is None:
                    raise LeaseLost
                return row, self._kind.follow_up(session, row)

        row, follower = self._patiently(commit)
        self._kind.ended(row)
        log.info("ended: job=%s attempt=%d state=%s", self._job.id, self._job.attempt, state)
        self._count(state)
        self._publish(row)
        if follower is not None:
            self._clients.broker.wake(TASKS[follower.kind], follower.kind, follower.id)

    def _count(self, outcome: str) -> None:
        kind, tally = self._job.kind, self._clients.tally
        tally.add("attempts", kind=kind, outcome=outcome)
        tally.add("running_seconds", time.monotonic() - self._began, kind=kind)
        tally.add("iterations", max(0, self._iterations() - self._from), kind=kind)

    def _iterations(self) -> int:
        """Return how far the job is, where its kind counts that."""
        return int(getattr(self._live, "iteration", 0))

    def _patiently(self, action: Callable[[], T]) -> T:
        """Do what must not be lost, again after a while if database or storage are away."""
        for wait in _RETRY_SECONDS:
            try:
                return action()
            except (Unavailable, StorageFull, OSError) as error:
                log.warning("again in %g s: job=%s %s", wait, self._job.id, error)
                time.sleep(wait)
        return action()

    def _write(self, **columns: Any) -> Job:
        with self._clients.database.write() as session:
            row = repository.write_claimed(session, self._job.id, self._job.attempt, **columns)
        if row is None:
            raise LeaseLost
        return row

    def _read(self) -> Job:
        with self._clients.database.read() as session:
            row = repository.read_claimed(session, self._job.id, self._job.attempt)
        if row is None:
            raise LeaseLost
        return row

    def _publish(self, row: Job) -> None:
        """Send the row's state with the live figures, which are newer than the row's."""
        row.progress = self._live.model_dump(mode="json")
        try:
            self._clients.events.publish(row.id, self._kind.snapshot(row).model_dump_json(), last=row.terminal)
        except RedisError as error:
            log.warning("event not published, streams read the row: %s", error)

    def _beat(self, ended: threading.Event) -> None:
        """Renew the lease while there is progress; a hung engine ends this process."""
        while not ended.wait(self._settings.heartbeat_seconds):
            if time.monotonic() - self._moved > self._settings.stall_seconds:
                log.error("no progress for %g s, giving up: job=%s", self._settings.stall_seconds, self._job.id)
                os._exit(HUNG_EXIT_STATUS)
            try:
                if self._shutting_down() and not self._storing:
                    # A step that takes longer than a shutdown may: give the job back before the process is killed.
                    self._write(**_at_rest())
                    log.info("released in mid-step: job=%s attempt=%d", self._job.id, self._job.attempt)
                    return
                self._write(lease_until=db_now() + self._settings.lease_seconds)
            except LeaseLost:
                return  # the engine's next progress record finds out
            except PentimentoError as error:
                log.warning("heartbeat missed: job=%s %s", self._job.id, error)
            except Exception:
                # Without this thread a job that is well would lose its lease, and one that hangs would keep its worker.
                log.exception("heartbeat missed: job=%s", self._job.id)
