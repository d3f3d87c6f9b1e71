"""A job's life around any engine: claim, heartbeat, progress, stop and cancel, commit."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from redis.exceptions import RedisError

from app.core.config import Settings
from app.core.errors import PentimentoError, StorageFull, Unavailable
from app.core.progress import OnProgress, Progress, StopRequested
from app.core.specs import StyleParams
from app.imaging import encode
from app.infra.blobs import Blobs
from app.infra.broker import HARD_LIMIT_SECONDS
from app.infra.database import Database, db_now
from app.infra.streams import EventWriter
from app.jobs import pictures, repository
from app.jobs.events import Live, LiveRecorder, snapshot
from app.jobs.models import Job, State

log = logging.getLogger(__name__)

_FLAGS_EVERY_SECONDS = 0.2
_EVENTS_EVERY_SECONDS = 0.2
# A page on a slow line may still be asking for one that is a while old.
_PREVIEWS_KEPT = 24
_RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
# A job that paints for longer ends as if it had been stopped, well before Celery's hard limit kills it.
TIME_LIMIT_SECONDS = HARD_LIMIT_SECONDS - 600
HUNG_EXIT_STATUS = 70

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Assignment:
    """What an engine is given: pictures as uint8 RGB of shape (height, width, 3)."""

    content: Pixels
    style: Pixels
    params: StyleParams


@dataclass(frozen=True)
class Outcome:
    """What an engine gives back; ``facts`` go into the receipt."""

    picture: Pixels
    facts: dict[str, Any] = field(default_factory=dict)


Work = Callable[[Assignment, OnProgress], Outcome]


class LeaseLost(Exception):
    """Another worker has the job now, or it was ended: nothing more may be written."""


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    database: Database
    blobs: Blobs
    events: EventWriter
    shutting_down: Callable[[], bool] = lambda: False

    def run_one(self, kind: str, work: Work) -> bool:
        """Claim the fairest job of ``kind`` and carry it to its end. False: none was waiting."""
        with self.database.write() as session:
            job = repository.claim(session, kind, self.settings.lease_seconds)
        if job is None:
            return False
        log.info("claimed: job=%s attempt=%d", job.id, job.attempt)
        _Run(self, job).carry_out(work)
        return True


class _Run:
    """One attempt at one job."""

    def __init__(self, runtime: Runtime, job: Job) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._job = job
        self._recorder = LiveRecorder()
        self._live = Live()
        self._stop = self._cancel = self._shutdown = False
        self._previews: list[str] = []
        self._last_flags = self._last_event = self._last_preview = float("-inf")
        self._began = self._moved = time.monotonic()

    def carry_out(self, work: Work) -> None:
        ended = threading.Event()
        heartbeat = threading.Thread(target=self._beat, args=(ended,), name="heartbeat", daemon=True)
        heartbeat.start()
        try:
            self._publish()
            outcome = work(self._assignment(), self._on_progress)
            self._finish(outcome)
        except LeaseLost:
            log.warning("lease lost, nothing written: job=%s attempt=%d", self._job.id, self._job.attempt)
        except StopRequested:
            self._end_without_picture()
        except Unavailable as error:
            # No verdict on the job: its lease runs out, and the sweeper queues it again.
            log.error("left to its lease: job=%s attempt=%d %s", self._job.id, self._job.attempt, error.message)
        except PentimentoError as error:
            self._fail(error.message)
        except MemoryError:
            self._fail("There is not enough memory for this size. Choose a smaller one.")
        except Exception:
            log.exception("job failed: job=%s attempt=%d", self._job.id, self._job.attempt)
            self._fail("Something went wrong inside the painter. It has been logged; trying again may help.")
        finally:
            ended.set()
            heartbeat.join()
            self._drop_previews(keep=1)

    def _assignment(self) -> Assignment:
        content, style = (
            encode.read_rgb(self._runtime.blobs.get(pictures.key(self._job.id, pictures.input_name(role)))) for role in pictures.INPUTS
        )
        return Assignment(content, style, StyleParams.model_validate(self._job.params))

    def _on_progress(self, progress: Progress) -> None:
        self._moved = time.monotonic()
        self._live = self._recorder.record(progress)
        try:
            self._show(progress)
            self._obey(progress)
        except (Unavailable, StorageFull, OSError) as error:
            # A step that is not shown is no reason to stop painting.
            log.warning("step not shown: job=%s %s", self._job.id, error)

    def _show(self, progress: Progress) -> None:
        moment = time.monotonic()
        due = moment - self._last_preview >= self._settings.preview_seconds or progress.stage == "finish"
        if progress.preview is not None and (due or not self._previews):
            self._last_preview = self._last_event = moment
            name = pictures.preview_name(self._job.attempt, len(self._previews) + 1)
            self._runtime.blobs.put(pictures.key(self._job.id, name), encode.preview(progress.preview))
            self._previews.append(name)
            self._write(preview=name, progress=self._live.model_dump(mode="json"))
            self._publish()
            self._drop_previews(keep=_PREVIEWS_KEPT)
        elif moment - self._last_event >= _EVENTS_EVERY_SECONDS:
            self._last_event = moment
            self._publish()

    def _obey(self, progress: Progress) -> None:
        """Raise when the job's flags say so. Stop waits for a first picture, so that one is kept."""
        if progress.stage == "finish":
            return  # the picture is as good as done: too late to stop, and a pity to give back
        moment = time.monotonic()
        if moment - self._last_flags >= _FLAGS_EVERY_SECONDS:
            self._last_flags = moment
            with self._runtime.database.read() as session:
                flags = repository.flags(session, self._job.id, self._job.attempt)
            if flags is None:
                raise LeaseLost
            self._stop, self._cancel = flags
            self._stop = self._stop or moment - self._began > TIME_LIMIT_SECONDS
        self._shutdown = self._runtime.shutting_down()
        if self._shutdown or self._cancel or (self._stop and progress.preview is not None):
            raise StopRequested

    def _finish(self, outcome: Outcome) -> None:
        if self._shutdown and not (self._stop or self._cancel):
            self._release()
            return
        state = State.CANCELLED if self._cancel else State.DONE
        if state == State.CANCELLED and not self._previews:
            self._end_without_picture()
            return
        name = pictures.result_name(self._job.attempt)
        data = encode.png(outcome.picture)
        self._patiently(lambda: self._runtime.blobs.put(pictures.key(self._job.id, name), data))
        self._end(state, result=name, facts=outcome.facts, stopped_early=self._stop and not self._cancel)

    def _end_without_picture(self) -> None:
        if self._cancel:
            self._end(State.CANCELLED)
        elif self._shutdown:
            self._release()
        else:
            self._fail("The painter stopped before there was a picture.")

    def _release(self) -> None:
        """Give the job back: this worker is shutting down, which is nobody's fault."""
        self._patiently(lambda: self._write(state=State.QUEUED, lease_until=None))
        log.info("released: job=%s attempt=%d", self._job.id, self._job.attempt)
        self._publish()

    def _fail(self, message: str) -> None:
        try:
            self._end(State.FAILED, error=message)
        except LeaseLost:
            log.warning("failure not written, lease lost: job=%s attempt=%d", self._job.id, self._job.attempt)

    def _end(self, state: State, **values: Any) -> None:
        live = self._live.model_dump(mode="json")
        self._patiently(lambda: self._write(state=state, lease_until=None, finished_at=db_now(), progress=live, **values))
        log.info("ended: job=%s attempt=%d state=%s", self._job.id, self._job.attempt, state)
        self._publish()

    def _patiently(self, action: Callable[[], None]) -> None:
        """Do what must not be lost, again after a while if database or storage are away."""
        for wait in _RETRY_SECONDS:
            try:
                return action()
            except (Unavailable, StorageFull, OSError) as error:
                log.warning("again in %g s: job=%s %s", wait, self._job.id, error)
                time.sleep(wait)
        return action()

    def _write(self, **values: Any) -> None:
        with self._runtime.database.write() as session:
            if not repository.write_claimed(session, self._job.id, self._job.attempt, **values):
                raise LeaseLost

    def _publish(self) -> None:
        """Send the row's state with the live figures, which are newer than the row's."""
        try:
            with self._runtime.database.read() as session:
                job = session.get(Job, self._job.id)
        except Unavailable as error:
            log.warning("event not published: job=%s %s", self._job.id, error)
            return
        if job is None or job.attempt != self._job.attempt:
            raise LeaseLost
        job.progress = self._live.model_dump(mode="json")
        try:
            self._runtime.events.publish(job.id, snapshot(job).model_dump_json(), last=job.terminal)
        except RedisError as error:
            log.warning("event not published, streams read the row: %s", error)

    def _beat(self, ended: threading.Event) -> None:
        """Renew the lease while there is progress; a hung engine ends this process."""
        while not ended.wait(self._settings.heartbeat_seconds):
            if time.monotonic() - self._moved > self._settings.stall_seconds:
                log.error("no progress for %g s, giving up: job=%s", self._settings.stall_seconds, self._job.id)
                os._exit(HUNG_EXIT_STATUS)
            try:
                if self._runtime.shutting_down():
                    # A step that takes longer than a shutdown may: give the job back before the process is killed.
                    self._write(state=State.QUEUED, lease_until=None)
                    log.info("released in mid-step: job=%s attempt=%d", self._job.id, self._job.attempt)
                    return
                with self._runtime.database.write() as session:
                    until = repository.now(session) + self._settings.lease_seconds
                    if not repository.write_claimed(session, self._job.id, self._job.attempt, lease_until=until):
                        return  # the engine's next progress record finds out
            except LeaseLost:
                return
            except PentimentoError as error:
                log.warning("heartbeat missed: job=%s %s", self._job.id, error)

    def _drop_previews(self, keep: int) -> None:
        """Delete the oldest previews; numbers go on, so that URLs never repeat."""
        for name in self._previews[:-keep]:
            if name:
                self._runtime.blobs.delete(pictures.key(self._job.id, name))
        self._previews[:-keep] = [""] * len(self._previews[:-keep])
