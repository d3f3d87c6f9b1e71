"""Every SQL statement about jobs. Functions take a session; the caller's block commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from app.infra.database import db_now
from app.jobs.models import TERMINAL, Job, State


def now(session: Session) -> float:
    return float(session.execute(select(db_now())).scalar_one())


def find(session: Session, job_id: str, owner: str, *, deleted: bool = False) -> Job | None:
    """Return the job if it is the owner's; deleted ones only when asked for."""
    job = session.get(Job, job_id)
    if job is None or job.owner != owner or (job.deleted_at is not None) != deleted:
        return None
    return job


def history(session: Session, owner: str, limit: int, before: float | None = None) -> Sequence[Job]:
    query = select(Job).where(Job.owner == owner, Job.deleted_at.is_(None)).order_by(Job.created_at.desc(), Job.id)
    if before is not None:
        query = query.where(Job.created_at < before)
    return session.execute(query.limit(limit)).scalars().all()


def count_active(session: Session, owner: str | None = None) -> int:
    query = select(func.count()).select_from(Job).where(Job.state.in_([State.QUEUED, State.RUNNING]))
    if owner is not None:
        query = query.where(Job.owner == owner)
    return session.execute(query).scalar_one()


def count_queued(session: Session, kind: str) -> int:
    return session.execute(select(func.count()).select_from(Job).where(Job.kind == kind, Job.state == State.QUEUED)).scalar_one()


def queue_position(session: Session, job: Job) -> int | None:
    """Return 1 for the job that is claimed next, or None when it does not wait."""
    if job.state != State.QUEUED:
        return None
    rows = session.execute(
        select(Job.id, Job.owner, Job.created_at).where(Job.kind == job.kind, Job.state == State.QUEUED).order_by(Job.created_at, Job.id)
    ).all()
    last_claims = session.execute(
        select(Job.owner, func.max(Job.started_at)).where(Job.kind == job.kind, Job.started_at.is_not(None)).group_by(Job.owner)
    )
    served = {owner: started or 0.0 for owner, started in last_claims}
    turns: dict[str, int] = {}
    order: list[tuple[int, float, float, str]] = []
    for job_id, owner, created_at in rows:
        turns[owner] = turns.get(owner, 0) + 1
        order.append((turns[owner], served.get(owner, 0.0), created_at, job_id))
    order.sort()
    return next((place for place, entry in enumerate(order, start=1) if entry[3] == job.id), None)


def claim(session: Session, kind: str, lease_seconds: float) -> Job | None:
    """Claim the fairest queued job: the owner served longest ago, then the oldest job.

    On SQLite the session holds the write lock; on PostgreSQL the row is locked and rows that
    another worker is just claiming are skipped.
    """
    served = aliased(Job)
    last_served = select(func.max(served.started_at)).where(served.owner == Job.owner, served.kind == kind).scalar_subquery()
    job = session.execute(
        select(Job)
        .where(Job.kind == kind, Job.state == State.QUEUED)
        .order_by(func.coalesce(last_served, 0.0), Job.created_at, Job.id)
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


def write_claimed(session: Session, job_id: str, attempt: int, **values: Any) -> bool:
    """Write to a running job under its attempt. False: the lease was lost, nothing was written."""
    statement = update(Job).where(Job.id == job_id, Job.attempt == attempt, Job.state == State.RUNNING).values(**values)
    return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1


def flags(session: Session, job_id: str, attempt: int) -> tuple[bool, bool] | None:
    """Return (stop, cancel) of a running job, or None when the lease was lost."""
    row = session.execute(
        select(Job.stop_requested, Job.cancel_requested).where(Job.id == job_id, Job.attempt == attempt, Job.state == State.RUNNING)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


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
