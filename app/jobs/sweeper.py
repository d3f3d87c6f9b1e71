"""Puts right what messages and dead workers left: expired leases, lost wake-ups, deleted jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from redis.exceptions import RedisError

from app.core.logging import about
from app.infra import standstill
from app.infra.clients import Clients
from app.infra.rounds import Rounds
from app.jobs import checkpoints, events, job_events, pictures, repository, verdict_events
from app.jobs.models import EXPERIMENT, STYLIZE, TASKS, VERDICT, Job, State

log = logging.getLogger(__name__)

_PURGED_AT_ONCE = 200

Snapshot = Callable[[Job], events.Event]
# How a row of each kind is told; a kind that is not named is told by what all have in common.
SNAPSHOTS: dict[str, Snapshot] = {STYLIZE: job_events.snapshot, VERDICT: verdict_events.snapshot}
# What a worker was doing when it died, and what may help.
_DOING = {
    STYLIZE: ("painting this picture", "Try a smaller size."),
    VERDICT: ("looking at this picture", "Try a smaller one."),
    EXPERIMENT: ("running this experiment", "Try fewer pictures, or shorter embeddings."),
}


class Sweeper(Rounds):
    """
    Args:
        snapshots: how rows of each kind are told to those who watch.
    """

    def __init__(self, clients: Clients, snapshots: Mapping[str, Snapshot] = SNAPSHOTS) -> None:
        super().__init__("sweep", self.sweep, clients.settings.sweep_seconds)
        self._settings = clients.settings
        self._database = clients.database
        self._blobs = clients.blobs
        self._events = clients.events
        self._broker = clients.broker
        self._tally = clients.tally
        self._snapshots = snapshots

    def sweep(self) -> None:
        self._settle_expired()
        try:
            for kind in TASKS:
                self._top_up(kind)
        finally:
            # Last, and some at a time: it may be thousands, and nobody waits for it.
            with standstill.deleting(self._settings) as may:
                if may:
                    self._purge_deleted()

    def _settle_expired(self) -> None:
        """Queue jobs of dead workers again, or end those that keep killing workers."""
        with self._database.write() as session:
            settled = [(job, settle_crash(job, self._settings.max_crashes)) for job in repository.expired(session)]
            for job, _ in settled:
                if job.terminal:
                    job.finished_at = repository.now(session)
                    if job.result is not None and job.parent is None and job.deleted_at is None:
                        # Its wake-up is sent by the same sweep.
                        repository.ensure_verdict(session, job)
        for job, given_up in settled:
            with about(job=job.id, attempt=job.attempt):
                self._tell(job, given_up)

    def _tell(self, job: Job, given_up: bool) -> None:
        """Let operator and watchers know what became of a job whose worker died, and tidy up after one that ended so."""
        if job.terminal and job.kind == STYLIZE:
            checkpoints.forget(self._blobs, job)
        self._tally.add("leases_expired", kind=job.kind)
        if given_up:
            self._tally.add("failures", kind=job.kind, reason="crashes")
        log.warning("lease expired: job=%s attempt=%d crashes=%d now=%s", job.id, job.attempt, job.crashes, job.state)
        try:
            told = self._snapshots.get(job.kind, events.snapshot)(job)
            self._events.publish(job.id, told.model_dump_json(), last=job.terminal)
        except RedisError as error:
            log.warning("event not published, streams read the row: %s", error)

    def _purge_deleted(self) -> None:
        with self._database.read() as session:
            old = repository.purgeable(session, self._settings.undo_seconds)
        for job_id in old[:_PURGED_AT_ONCE]:
            with self._database.write() as session:
                gone = repository.purge(session, job_id, self._settings.undo_seconds)
            if gone:
                self._blobs.delete_folder(pictures.folder(job_id))
                self._events.forget(job_id)

    def _top_up(self, kind: str) -> None:
        """Send wake-ups until as many wait as there are jobs that need one; a spare one finds nothing to do."""
        with self._database.read() as session:
            queued = repository.count_queued(session, kind)
        for _ in range(queued - self._broker.waiting(kind) if queued else 0):
            if not self._broker.wake(TASKS[kind], kind, "sweeper"):
                return


def settle_crash(job: Job, max_crashes: int) -> bool:
    """Decide what becomes of a running job whose worker died; neither a state that is stored nor a picture that is held is lost.

    Returns:
        Whether it is given up now, and not by its owner.
    """
    job.crashes += 1
    job.lease_until = None
    paused, job.pause_requested = job.pause_requested, False
    left = checkpoints.left_of(job)
    given_up = job.crashes >= max_crashes
    doing, remedy = _DOING[job.kind]
    error = f"The worker died {job.crashes} times while {doing}, so it was given up. {remedy}"
    # One more attempt, which only ends it: it works on nothing.
    ending = checkpoints.to_end(job, left, "" if job.cancel_requested else error) if given_up else None
    if ending is not None:
        live, columns = ending
        for column, value in (columns | {"progress": live.model_dump(mode="json")}).items():
            setattr(job, column, value)
    elif job.cancel_requested and (given_up or not checkpoints.is_ahead(left)):
        job.state = State.CANCELLED
        checkpoints.take_held(job)
    elif given_up and checkpoints.take_held(job, error):
        job.state, job.stopped_early = State.DONE, True
    elif given_up:
        job.state, job.error = State.FAILED, error
    else:
        job.state = State.PAUSED if paused and not job.cancel_requested else State.QUEUED
    if job.terminal:
        job.checkpoint = None
    return given_up and not job.cancel_requested and (left is None or left.ending is None)
