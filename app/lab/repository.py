"""Every SQL statement about datasets. Functions take a session; the caller's block commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.infra.database import db_now
from app.jobs.models import STYLIZE, TERMINAL, VERDICT, Job, State
from app.lab.models import Arrival, Dataset, DatasetPicture


def find(session: Session, dataset_id: str, owner: str, *, deleted: bool = False) -> Dataset | None:
    """Return the dataset if it is the owner's; deleted ones only when asked for."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.owner != owner or (dataset.deleted_at is not None) != deleted:
        return None
    return dataset


def newest(session: Session, owner: str, limit: int, before: float | None = None) -> Sequence[Dataset]:
    query = select(Dataset).where(Dataset.owner == owner, Dataset.deleted_at.is_(None)).order_by(Dataset.created_at.desc(), Dataset.id)
    if before is not None:
        query = query.where(Dataset.created_at < before)
    return session.execute(query.limit(limit)).scalars().all()


def planned(session: Session, owner: str) -> int:
    """Return how many pictures the owner's datasets hold, or will."""
    query = select(func.coalesce(func.sum(Dataset.planned), 0)).where(Dataset.owner == owner, Dataset.deleted_at.is_(None))
    return int(session.execute(query).scalar_one())


def claim_arrival(session: Session, lease_seconds: float) -> Dataset | None:
    """Claim the dataset that has waited longest to be unpacked, from the beginning or from where another process left it."""
    dataset = session.execute(
        select(Dataset)
        .where(
            Dataset.arrival == Arrival.UNPACKING,
            Dataset.cancelled.is_(False),
            Dataset.deleted_at.is_(None),
            or_(Dataset.lease_until.is_(None), Dataset.lease_until < db_now()),
        )
        .order_by(Dataset.created_at, Dataset.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if dataset is not None:
        session.execute(update(Dataset).where(Dataset.id == dataset.id).values(lease_until=db_now() + lease_seconds))
    return dataset


def advance(session: Session, dataset_id: str, at: int, **values: Any) -> bool:
    """Write to a dataset that is being unpacked and stands ``at`` so many files. False: somebody else's work, or cancelled."""
    statement = (
        update(Dataset)
        .where(
            Dataset.id == dataset_id,
            Dataset.taken == at,
            Dataset.arrival == Arrival.UNPACKING,
            Dataset.cancelled.is_(False),
            Dataset.deleted_at.is_(None),
        )
        .values(**values)
    )
    return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1


def pictures(session: Session, dataset_id: str, *roles: str) -> Sequence[DatasetPicture]:
    query = select(DatasetPicture).where(DatasetPicture.dataset == dataset_id).order_by(DatasetPicture.number)
    if roles:
        query = query.where(DatasetPicture.role.in_(roles))
    return session.execute(query).scalars().all()


def picture(session: Session, dataset_id: str, number: int) -> DatasetPicture | None:
    return session.execute(
        select(DatasetPicture).where(DatasetPicture.dataset == dataset_id, DatasetPicture.number == number)
    ).scalar_one_or_none()


def first_numbers(session: Session, dataset_id: str, limit: int) -> Sequence[int]:
    """Return the numbers of the first pictures that have a file of their own."""
    query = select(DatasetPicture.number).where(DatasetPicture.dataset == dataset_id, DatasetPicture.key.is_not(None))
    return session.execute(query.order_by(DatasetPicture.number).limit(limit)).scalars().all()


def roles(session: Session, dataset_id: str) -> dict[str, int]:
    """Return how many pictures of each role there are."""
    query = select(DatasetPicture.role, func.count()).where(DatasetPicture.dataset == dataset_id).group_by(DatasetPicture.role)
    return {str(role): int(count) for role, count in session.execute(query)}


def classes(session: Session, dataset_id: str) -> list[tuple[str, str, int]]:
    """Return (domain, class, pictures) of a labelled dataset."""
    query = select(DatasetPicture.domain, DatasetPicture.klass, func.count()).where(DatasetPicture.dataset == dataset_id)
    grouped = query.group_by(DatasetPicture.domain, DatasetPicture.klass).order_by(DatasetPicture.domain, DatasetPicture.klass)
    return [(str(domain), str(klass), int(count)) for domain, klass, count in session.execute(grouped)]


def jobs_of(session: Session, dataset_id: str) -> dict[str, Job]:
    """Return the dataset's style transfers by id."""
    found = session.execute(select(Job).where(Job.kind == STYLIZE, Job.parent == dataset_id)).scalars()
    return {job.id: job for job in found}


def job_states(session: Session, dataset_id: str) -> dict[State, int]:
    query = select(Job.state, func.count()).where(Job.kind == STYLIZE, Job.parent == dataset_id).group_by(Job.state)
    return {State(state): count for state, count in session.execute(query)}


def running(session: Session, dataset_id: str) -> Sequence[Job]:
    return session.execute(select(Job).where(Job.kind == STYLIZE, Job.parent == dataset_id, Job.state == State.RUNNING)).scalars().all()


def newest_done(session: Session, dataset_id: str, limit: int) -> Sequence[Job]:
    query = select(Job).where(Job.kind == STYLIZE, Job.parent == dataset_id, Job.state == State.DONE)
    return session.execute(query.order_by(Job.finished_at.desc(), Job.id).limit(limit)).scalars().all()


def pace(session: Session, dataset_id: str) -> tuple[int, float]:
    """Return how many pictures were finished since the first was begun, and the seconds that took."""
    query = select(func.count(), func.min(Job.started_at), func.max(Job.finished_at)).where(
        Job.kind == STYLIZE, Job.parent == dataset_id, Job.state == State.DONE
    )
    count, first, last = session.execute(query).one()
    return (0, 0.0) if first is None or last is None else (count, last - first)


def cancel_jobs(session: Session, dataset_id: str) -> None:
    """End what waits, and ask what runs to end."""
    mine = (Job.kind == STYLIZE, Job.parent == dataset_id)
    waits = update(Job).where(*mine, Job.state == State.QUEUED)
    ended = waits.values(state=State.CANCELLED, cancel_requested=True, finished_at=db_now())
    session.execute(ended)
    session.execute(update(Job).where(*mine, Job.state == State.RUNNING).values(cancel_requested=True))
    # On PostgreSQL a worker may have put a job back between the two: once more.
    session.execute(ended)


def requeue_jobs(session: Session, dataset_id: str) -> int:
    """Queue again what was cancelled or failed; return how many. Verdicts on what they had painted go: another picture comes."""
    ended = [State.CANCELLED, State.FAILED]
    session.execute(delete(Job).where(*_verdicts(dataset_id, *ended)))
    statement = (
        update(Job)
        .where(Job.kind == STYLIZE, Job.parent == dataset_id, Job.state.in_(ended))
        .values(
            state=State.QUEUED,
            cancel_requested=False,
            stop_requested=False,
            stopped_early=False,
            crashes=0,
            error=None,
            progress=None,
            preview=None,
            result=None,
            facts=None,
            frames=None,
            finished_at=None,
            deleted_at=None,
        )
    )
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def mark_jobs(session: Session, dataset_id: str, deleted_at: float | None) -> None:
    """Let the dataset's jobs and the verdicts on them share its fate: deleted with it, or brought back."""
    session.execute(update(Job).where(Job.kind == STYLIZE, Job.parent == dataset_id).values(deleted_at=deleted_at))
    session.execute(update(Job).where(*_verdicts(dataset_id)).values(deleted_at=deleted_at))


def _verdicts(dataset_id: str, *states: State) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of verdicts on the dataset's jobs; with ``states``, on those that are in one of them."""
    painted = aliased(Job)
    jobs = select(painted.id).where(painted.kind == STYLIZE, painted.parent == dataset_id)
    return Job.kind == VERDICT, Job.parent.in_(jobs.where(painted.state.in_(states)) if states else jobs)


def purgeable(session: Session, undo_seconds: float) -> Sequence[str]:
    """Return ids of datasets deleted longer ago than they can be brought back, with no job still at work."""
    busy = select(Job.parent).where(Job.kind == STYLIZE, Job.state.not_in(TERMINAL), Job.parent.is_not(None))
    query = select(Dataset.id).where(Dataset.deleted_at < db_now() - undo_seconds, Dataset.id.not_in(busy))
    return session.execute(query).scalars().all()


def purge(session: Session, dataset_id: str, undo_seconds: float) -> bool:
    """Remove the rows; a picture of it that was brought back alone is deleted again. False: it was brought back meanwhile."""
    statement = delete(Dataset).where(Dataset.id == dataset_id, Dataset.deleted_at < db_now() - undo_seconds)
    if cast("CursorResult[Any]", session.execute(statement)).rowcount != 1:
        return False
    session.execute(delete(DatasetPicture).where(DatasetPicture.dataset == dataset_id))
    for stray in ((Job.kind == STYLIZE, Job.parent == dataset_id), _verdicts(dataset_id)):
        session.execute(update(Job).where(*stray, Job.deleted_at.is_(None)).values(deleted_at=db_now()))
    return True
