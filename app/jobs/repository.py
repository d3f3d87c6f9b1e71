"""Every SQL statement about jobs. Functions take a session; the caller's block commits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, case, delete, false, func, or_, select, update
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.infra.database import db_now
from app.jobs.models import STYLIZE, TERMINAL, VERDICT, Job, State
from app.jobs.queueing import Rank, Waiting, order


def now(session: Session) -> float:
    return float(session.execute(select(db_now())).scalar_one())


def find(session: Session, kind: str, job_id: str, owner: str, *, deleted: bool = False, lock: bool = False) -> Job | None:
    """Return the job if it is of that kind and the owner's; deleted ones only when asked for.

    Args:
        lock: nobody else may change it until this transaction ends. With SQLite, whoever writes is alone anyway.
    """
    job = session.get(Job, job_id, with_for_update=lock or None)
    if job is None or job.kind != kind or job.owner != owner or (job.deleted_at is not None) != deleted:
        return None
    return job


def history(session: Session, kind: str, owner: str, limit: int, before: float | None = None) -> Sequence[Job]:
    """Return the owner's newest jobs that belong to nothing else."""
    query = select(Job).where(Job.kind == kind, Job.owner == owner, Job.parent.is_(None), Job.deleted_at.is_(None))
    if before is not None:
        query = query.where(Job.created_at < before)
    return session.execute(query.order_by(Job.created_at.desc(), Job.id).limit(limit)).scalars().all()


def count_active(session: Session, kind: str) -> int:
    """Return how many jobs wait or run, leaving out those that belong to something else."""
    query = select(func.count()).select_from(Job)
    query = query.where(Job.kind == kind, Job.state.in_([State.QUEUED, State.RUNNING]), Job.parent.is_(None))
    return session.execute(query).scalar_one()


def count_unfinished(session: Session, kind: str, owner: str, besides: str | None = None) -> int:
    """Return how many of an owner's jobs have not ended, paused ones too, leaving out those that belong to something else.

    Args:
        besides: a job that does not count.
    """
    query = select(func.count()).select_from(Job)
    query = query.where(Job.kind == kind, Job.state.not_in(TERMINAL), Job.parent.is_(None), Job.owner == owner)
    if besides is not None:
        query = query.where(Job.id != besides)
    return session.execute(query).scalar_one()


def count_unfinished_of(session: Session, kind: str, owners: Collection[str]) -> dict[str, int]:
    """Return how many jobs have not ended of each of the owners who have such a one, counted as those of one owner are."""
    query = select(Job.owner, func.count()).where(Job.kind == kind, Job.state.not_in(TERMINAL), Job.parent.is_(None), Job.owner.in_(owners))
    return dict(session.execute(query.group_by(Job.owner)).all())


def count_queued(session: Session, kind: str) -> int:
    return session.execute(select(func.count()).select_from(Job).where(Job.kind == kind, Job.state == State.QUEUED)).scalar_one()


def count_states(session: Session) -> Sequence[tuple[str, str, int]]:
    """Return kind, state and number of all jobs."""
    rows = session.execute(select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state).order_by(Job.kind, Job.state))
    return [(kind, state, count) for kind, state, count in rows]


def speed(session: Session, kind: str) -> float:
    """Return iterations a second of the jobs that are running, together, since each was begun."""
    running = session.execute(select(Job.progress).where(Job.kind == kind, Job.state == State.RUNNING)).scalars()
    figures = [progress for progress in running if progress and progress.get("elapsed")]
    return sum(float(progress.get("iteration", 0)) / float(progress["elapsed"]) for progress in figures)


def queue_position(session: Session, job: Job) -> int | None:
    """Return 1 for the job that is claimed next, or None when it does not wait."""
    if job.state != State.QUEUED:
        return None
    query = select(Job.created_at, Job.id, Job.owner, _rank(job.kind)).where(Job.kind == job.kind, Job.state == State.QUEUED)
    waiting = [Waiting(created_at, job_id, owner, Rank(rank)) for created_at, job_id, owner, rank in session.execute(query)]
    last_claims = session.execute(
        select(Job.owner, func.max(Job.started_at)).where(Job.kind == job.kind, Job.started_at.is_not(None)).group_by(Job.owner)
    )
    served = {owner: started or 0.0 for owner, started in last_claims}
    return next((place for place, job_id in enumerate(order(waiting, served), start=1) if job_id == job.id), None)


def claim(session: Session, kind: str, lease_seconds: float) -> Job | None:
    """Claim the fairest queued job, in the order of ``queueing.order``.

    On SQLite the session holds the write lock; on PostgreSQL the row is locked and rows that
    another worker is just claiming are skipped.
    """
    # Owners are counted once, not once for each waiting job: a dataset may have thousands.
    claims = select(Job.owner, func.max(Job.started_at).label("last")).where(Job.kind == kind).group_by(Job.owner).subquery()
    job = session.execute(
        select(Job)
        .outerjoin(claims, claims.c.owner == Job.owner)
        .where(Job.kind == kind, Job.state == State.QUEUED)
        .order_by(_rank(kind), func.coalesce(claims.c.last, 0.0), Job.created_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Job)
    ).scalar_one_or_none()
    if job is None:
        return None
    moment = now(session)
    job.state = State.RUNNING
    job.attempt += 1
    job.started_at = moment
    job.lease_until = moment + lease_seconds
    session.flush()
    return job


def _rank(kind: str) -> ColumnElement[int]:
    # A dataset of a hundred pictures must not delay anyone's single one; and who has called off what was begun waits for a moment only.
    batch = Job.parent.is_not(None) if kind == STYLIZE else false()
    ending = and_(or_(Job.stop_requested, Job.cancel_requested), Job.attempt > 0)
    return case((ending, int(Rank.ENDING)), (batch, int(Rank.BATCH)), else_=int(Rank.SINGLE))


def continuations(session: Session, owner: str, job_id: str) -> list[str]:
    """Return the owner's jobs that began from that one's result, oldest first."""
    query = select(Job.id).where(Job.continues == job_id, Job.owner == owner, Job.deleted_at.is_(None))
    return list(session.execute(query.order_by(Job.created_at, Job.id)).scalars())


def write_claimed(session: Session, job_id: str, attempt: int, **values: Any) -> Job | None:
    """Write to a running job under its attempt and return its row. None: the lease was lost, nothing was written."""
    statement = update(Job).where(*_claimed(job_id, attempt)).values(**values).returning(Job)
    return session.execute(statement).scalar_one_or_none()


def read_claimed(session: Session, job_id: str, attempt: int) -> Job | None:
    """Return the row of a running job, or None when the lease was lost."""
    return session.execute(select(Job).where(*_claimed(job_id, attempt))).scalar_one_or_none()


def _claimed(job_id: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
    return Job.id == job_id, Job.attempt == attempt, Job.state == State.RUNNING


def verdict_of(session: Session, job_id: str) -> Job | None:
    """Return the verdict of a job, deleted or not."""
    return session.execute(select(Job).where(Job.kind == VERDICT, Job.parent == job_id)).scalar_one_or_none()


def ensure_verdict(session: Session, job: Job) -> tuple[Job, bool]:
    """Return the verdict of a finished picture, and whether it was queued just now.

    A new one is queued, and one that ended without a word; one that is there is brought back if it was deleted.
    """
    verdict = verdict_of(session, job.id)
    if verdict is not None and (verdict.report is not None or not verdict.terminal):
        verdict.deleted_at, verdict.cancel_requested = None, False
        return verdict, False
    if verdict is None:
        verdict = Job(id=new_id(), kind=VERDICT, owner=job.owner, parent=job.id, preset="", params={}, inputs={}, created_at=now(session))
        session.add(verdict)
    begin_again(verdict)
    session.flush()
    return verdict, True


def begin_again(job: Job) -> None:
    """Queue a job that has ended as if it had never begun; its attempts go on, so that files of old ones are told apart."""
    job.state, job.crashes, job.cancel_requested = State.QUEUED, 0, False
    job.deleted_at = job.finished_at = job.progress = job.error = None


def expired(session: Session) -> Sequence[Job]:
    """Return the running jobs whose lease ran out, locked for a decision about them."""
    query = select(Job).where(Job.state == State.RUNNING, Job.lease_until < db_now()).with_for_update(skip_locked=True)
    return session.execute(query).scalars().all()


def purgeable(session: Session, undo_seconds: float) -> Sequence[str]:
    """Return ids of jobs deleted longer ago than they can be brought back, and at rest."""
    return session.execute(select(Job.id).where(*_past_undo(undo_seconds))).scalars().all()


def purge(session: Session, job_id: str, undo_seconds: float) -> bool:
    """Remove the row. False: it was brought back meanwhile."""
    statement = delete(Job).where(Job.id == job_id, *_past_undo(undo_seconds))
    return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1


def _past_undo(undo_seconds: float) -> tuple[ColumnElement[bool], ...]:
    return Job.deleted_at < db_now() - undo_seconds, Job.state.in_(TERMINAL)
