"""What one may do with jobs of any kind: look, stop, cancel, delete, bring back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from app.core.errors import NotFound, NotReady, StorageFull, TooMany
from app.core.ids import is_id
from app.infra.clients import Clients
from app.jobs import pictures, repository
from app.jobs.events import E
from app.jobs.models import TASKS, Job, State

# What a busy database may delay a heartbeat.
_GRACE_SECONDS = 1.0


class KindService(ABC, Generic[E]):
    """The jobs of one kind, each its owner's alone."""

    kind: ClassVar[str]
    absent: ClassVar[str] = "There is no such job, or it is not yours."

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._settings = clients.settings
        self._database = clients.database
        self._blobs = clients.blobs

    @abstractmethod
    def snapshot(self, job: Job, queue_position: int | None = None, *, silent: bool = False) -> E:
        """Return the job as its row tells it."""

    @abstractmethod
    def _check_limit(self, own: int) -> None:
        """Raise ``TooMany`` when a visitor with that many active jobs may not have another."""

    def admit(self, owner: str) -> None:
        """Refuse early, before pictures are decoded, what would be refused anyway."""
        if self._blobs.short_of(self._settings.min_free_mb):
            raise StorageFull("The server's disk is almost full, so it takes no new pictures. Delete old jobs or ask its operator.")
        with self._database.read() as session:
            self._check_limits(session, owner)

    def get(self, owner: str, job_id: str) -> Job:
        with self._database.read() as session:
            return self._owned(session, owner, job_id)

    def deleted(self, owner: str, job_id: str) -> Job | None:
        """Return a deleted job of the owner's that can still be brought back."""
        with self._database.read() as session:
            return repository.find(session, self.kind, job_id, owner, deleted=True)

    def event(self, owner: str, job_id: str) -> E:
        """Return the job's whole state, with its place in the queue."""
        with self._database.read() as session:
            job = self._owned(session, owner, job_id)
            return self.snapshot(job, repository.queue_position(session, job), silent=self._is_silent(session, job))

    def history(self, owner: str, limit: int = 60, before: float | None = None) -> Sequence[Job]:
        with self._database.read() as session:
            return repository.history(session, self.kind, owner, limit, before)

    def stop(self, owner: str, job_id: str) -> Job:
        """End as done with the best there is so far; a waiting job ends with its first."""
        with self._database.write() as session:
            job = self._unfinished(session, owner, job_id)
            job.stop_requested = True
        self._publish(job)
        return job

    def cancel(self, owner: str, job_id: str) -> Job:
        """End as cancelled; the best there is so far stays."""
        with self._database.write() as session:
            job = self._unfinished(session, owner, job_id)
            self._call_off(session, job)
        self._publish(job)
        return job

    def delete(self, owner: str, job_id: str) -> Job:
        """Hide the job and what hangs on it, cancelling if need be; ``restore`` brings it back for a while."""
        with self._database.write() as session:
            job = self._owned(session, owner, job_id, lock=True)
            gone = [job, *self._hanging_on(session, job)]
            for one in gone:
                one.deleted_at = repository.now(session)
                if not one.terminal:
                    self._call_off(session, one)
        for one in gone:
            self._publish(one)
        return job

    def restore(self, owner: str, job_id: str) -> Job:
        with self._database.write() as session:
            job = self._owned(session, owner, job_id, deleted=True)
            for one in (job, *self._hanging_on(session, job)):
                one.deleted_at, one.restored_at = None, repository.now(session)
        return job

    def picture(self, owner: str, job_id: str, name: str) -> bytes:
        """Return a picture of the job by its stored name."""
        return self._blobs.get(self.picture_key(owner, job_id, name))

    def picture_key(self, owner: str, job_id: str, name: str) -> str:
        """Return where it is stored."""
        return pictures.stored_key(self.get(owner, job_id), name)

    def _hanging_on(self, session: Session, job: Job) -> list[Job]:
        """Return the rows that share the job's fate."""
        return []

    def _check_limits(self, session: Session, owner: str, besides: str | None = None) -> None:
        self._check_limit(repository.count_unfinished(session, self.kind, owner, besides))
        if repository.count_active(session, self.kind) >= self._settings.max_queue:
            raise TooMany("The queue is full. Try again in a few minutes.")

    def _owned(self, session: Session, owner: str, job_id: str, *, deleted: bool = False, lock: bool = False) -> Job:
        job = repository.find(session, self.kind, job_id, owner, deleted=deleted, lock=lock) if is_id(job_id) else None
        if job is None:
            raise NotFound(self.absent)
        return job

    def _unfinished(self, session: Session, owner: str, job_id: str) -> Job:
        # Locked: a worker may claim or end it, and another page change it, at the same moment.
        job = self._owned(session, owner, job_id, lock=True)
        if job.terminal:
            raise NotReady(f"This job has already ended ({job.state}).")
        return job

    def _call_off(self, session: Session, job: Job) -> None:
        job.cancel_requested = True
        if job.state in (State.QUEUED, State.PAUSED):
            job.state, job.checkpoint = State.CANCELLED, None
            job.finished_at = repository.now(session)

    def _is_silent(self, session: Session, job: Job) -> bool:
        """Tell whether a running job's worker has missed two heartbeats."""
        if job.state != State.RUNNING or job.lease_until is None:
            return False
        unheard = repository.now(session) - (job.lease_until - self._settings.lease_seconds)
        return unheard > 2 * self._settings.heartbeat_seconds + _GRACE_SECONDS

    def _wake(self, job: Job) -> None:
        self._clients.broker.wake(TASKS[job.kind], job.kind, job.id)

    def _publish(self, job: Job) -> None:
        """Tell whoever watches; a row of another kind is left to be read."""
        if job.kind != self.kind:
            return
        try:
            self._clients.events.publish(job.id, self.snapshot(job).model_dump_json(), last=job.terminal)
        except RedisError:
            return  # streams fall back to the row
