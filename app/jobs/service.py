"""What one may do with jobs, for the page, the API and the owner alone."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.errors import NotFound, NotReady, StorageFull, TooMany
from app.core.ids import is_id, new_id
from app.core.specs import StyleParams
from app.imaging.normalise import Decoded
from app.infra.blobs import Blobs
from app.infra.broker import Broker
from app.infra.database import Database
from app.infra.streams import EventWriter
from app.jobs import pictures, repository
from app.jobs.events import JobEvent, snapshot
from app.jobs.models import STYLIZE, TASKS, Job, State

# What a busy database may delay a heartbeat.
_GRACE_SECONDS = 1.0


class JobService:
    def __init__(self, settings: Settings, database: Database, blobs: Blobs, events: EventWriter, broker: Broker) -> None:
        self._settings = settings
        self._database = database
        self._blobs = blobs
        self._events = events
        self._broker = broker

    def submit(self, owner: str, content: tuple[str, Decoded], style: tuple[str, Decoded], preset: str, params: StyleParams) -> Job:
        """Store both pictures, commit the row, then send the wake-up.

        Args:
            content: the photograph's file name, shown to its owner, and the decoded picture.
            style: the same for the painting.
        """
        self.admit(owner)
        given = dict(zip(pictures.INPUTS, (content, style), strict=True))
        job = Job(
            id=new_id(),
            kind=STYLIZE,
            owner=owner,
            state=State.QUEUED,
            preset=preset,
            params=params.model_dump(mode="json"),
            inputs={role: _facts(name, picture) for role, (name, picture) in given.items()},
        )
        try:
            for role, (_, picture) in given.items():
                self._blobs.put(pictures.key(job.id, pictures.input_name(role)), picture.png)
                self._blobs.put(pictures.key(job.id, pictures.thumbnail_name(role)), picture.thumbnail_jpeg)
            with self._database.write() as session:
                self._check_limits(repository.count_active(session, owner), repository.count_active(session))
                job.created_at = repository.now(session)
                session.add(job)
        except BaseException:
            self._blobs.delete_folder(pictures.folder(job.id))
            raise
        self._broker.wake(TASKS[job.kind], job.kind, job.id)
        return job

    def admit(self, owner: str) -> None:
        """Refuse early, before pictures are decoded, what would be refused anyway."""
        root = self._blobs.local_root
        if root is not None and shutil.disk_usage(root).free < self._settings.min_free_mb * 1_000_000:
            raise StorageFull("The server's disk is almost full, so it takes no new pictures. Delete old jobs or ask its operator.")
        with self._database.read() as session:
            self._check_limits(repository.count_active(session, owner), repository.count_active(session))

    def _check_limits(self, own: int, everyone: int) -> None:
        if own >= self._settings.max_active_jobs:
            raise TooMany(f"You have {own} pictures waiting or being painted. Wait for one to finish, or cancel one.")
        if everyone >= self._settings.max_queue:
            raise TooMany("The queue is full. Try again in a few minutes.")

    def get(self, owner: str, job_id: str) -> Job:
        with self._database.read() as session:
            return _owned(session, owner, job_id)

    def deleted(self, owner: str, job_id: str) -> Job | None:
        """Return a deleted job of the owner's that can still be brought back."""
        with self._database.read() as session:
            return repository.find(session, job_id, owner, deleted=True)

    def event(self, owner: str, job_id: str) -> JobEvent:
        """Return the job's whole state, with its place in the queue."""
        with self._database.read() as session:
            job = _owned(session, owner, job_id)
            return snapshot(job, repository.queue_position(session, job), silent=self._is_silent(session, job))

    def _is_silent(self, session: Session, job: Job) -> bool:
        """Tell whether a running job's worker has missed two heartbeats."""
        if job.state != State.RUNNING or job.lease_until is None:
            return False
        unheard = repository.now(session) - (job.lease_until - self._settings.lease_seconds)
        return unheard > 2 * self._settings.heartbeat_seconds + _GRACE_SECONDS

    def history(self, owner: str, limit: int = 60, before: float | None = None) -> Sequence[Job]:
        with self._database.read() as session:
            return repository.history(session, owner, limit, before)

    def stop(self, owner: str, job_id: str) -> Job:
        """End as done with the best picture so far; a waiting job ends with its first picture."""
        with self._database.write() as session:
            job = _owned(session, owner, job_id)
            if job.terminal:
                raise NotReady(f"This job has already ended ({job.state}).")
            job.stop_requested = True
        self._publish(job)
        return job

    def cancel(self, owner: str, job_id: str) -> Job:
        """End as cancelled; the best picture so far stays."""
        with self._database.write() as session:
            job = _owned(session, owner, job_id)
            if job.terminal:
                raise NotReady(f"This job has already ended ({job.state}).")
            job.cancel_requested = True
            if job.state == State.QUEUED:
                job.state = State.CANCELLED
                job.finished_at = repository.now(session)
        self._publish(job)
        return job

    def delete(self, owner: str, job_id: str) -> Job:
        """Hide the job, cancelling it if need be; ``restore`` brings it back for a while."""
        with self._database.write() as session:
            job = _owned(session, owner, job_id)
            job.deleted_at = repository.now(session)
            if not job.terminal:
                job.cancel_requested = True
            if job.state == State.QUEUED:
                job.state = State.CANCELLED
                job.finished_at = job.deleted_at
        self._publish(job)
        return job

    def restore(self, owner: str, job_id: str) -> Job:
        with self._database.write() as session:
            job = _owned(session, owner, job_id, deleted=True)
            job.deleted_at = None
        return job

    def result(self, owner: str, job_id: str) -> tuple[Job, bytes]:
        """Return the job and its stored picture, a PNG without a receipt."""
        job = self.get(owner, job_id)
        if job.result is None:
            raise NotReady(
                "This job ended before there was a picture." if job.terminal else "This job has no finished picture yet. Wait, or stop it."
            )
        return job, self._blobs.get(pictures.key(job.id, job.result))

    def picture(self, owner: str, job_id: str, name: str) -> bytes:
        """Return an input, thumbnail, preview or result of the job by its stored name."""
        return self._blobs.get(pictures.key(self.get(owner, job_id).id, name))

    def _publish(self, job: Job) -> None:
        try:
            self._events.publish(job.id, snapshot(job).model_dump_json(), last=job.terminal)
        except RedisError:
            return  # streams fall back to the row


def _owned(session: Session, owner: str, job_id: str, *, deleted: bool = False) -> Job:
    job = repository.find(session, job_id, owner, deleted=deleted) if is_id(job_id) else None
    if job is None:
        raise NotFound("There is no such job, or it is not yours.")
    return job


def _facts(name: str, picture: Decoded) -> dict[str, object]:
    return {"name": name, "width": picture.width, "height": picture.height, "sha256": hashlib.sha256(picture.png).hexdigest()}
