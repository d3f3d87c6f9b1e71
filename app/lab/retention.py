"""What has ended and may go: by age, and by the room that it takes. It goes as if its owner had deleted it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from app.jobs import repository as job_repository
from app.jobs.models import EXPERIMENT, STYLIZE, TERMINAL, VERDICT, Job
from app.lab import repository
from app.lab.models import Arrival, Dataset


@dataclass(frozen=True)
class Ended:
    """A job or a dataset at rest, and since when, in seconds since 1970: its end, or when it was brought back after that."""

    kind: Literal["job", "dataset"]
    id: str
    at: float


def ended(session: Session) -> list[Ended]:
    """Return everything that has ended and that nothing needs any more, the oldest first.

    A dataset's pictures go with it, a verdict with its picture.
    """
    return sorted((*_jobs(session), *_datasets(session)), key=lambda one: (one.at, one.id))


def _jobs(session: Session) -> list[Ended]:
    judged = select(Job.parent).where(Job.kind == VERDICT, Job.state.not_in(TERMINAL), Job.parent.is_not(None))
    found = session.execute(
        select(Job.id, func.coalesce(Job.restored_at, Job.finished_at, Job.created_at)).where(
            Job.parent.is_(None), Job.state.in_(TERMINAL), Job.deleted_at.is_(None), Job.id.not_in(judged)
        )
    )
    arriving = select(Dataset.incoming).where(Dataset.arrival == Arrival.UNPACKING, Dataset.deleted_at.is_(None))
    copied = {piece.get("job") for incoming in session.execute(arriving).scalars() for piece in incoming or []}
    return [Ended("job", job_id, at) for job_id, at in found if job_id not in copied]


def _datasets(session: Session) -> list[Ended]:
    busy = select(Job.parent).where(Job.kind == STYLIZE, Job.state.not_in(TERMINAL), Job.parent.is_not(None))
    last = select(Job.parent, func.max(Job.finished_at).label("at")).where(Job.kind == STYLIZE).group_by(Job.parent).subquery()
    found = session.execute(
        select(Dataset.id, Dataset.created_at, last.c.at, Dataset.restored_at)
        .outerjoin(last, last.c.parent == Dataset.id)
        .where(Dataset.deleted_at.is_(None), or_(Dataset.arrival != Arrival.UNPACKING, Dataset.cancelled), Dataset.id.not_in(busy))
    )
    studying = session.execute(select(Job.inputs).where(Job.kind == EXPERIMENT, Job.state.not_in(TERMINAL))).scalars()
    studied = {inputs.get("dataset", {}).get("id") for inputs in studying}
    return [
        Ended("dataset", dataset_id, max(made, at or 0.0, restored or 0.0))
        for dataset_id, made, at, restored in found
        if dataset_id not in studied
    ]


def oldest(found: Iterable[Ended], sizes: Mapping[str, int], excess: float) -> list[Ended]:
    """Return the oldest of ``found`` that together hold at least ``excess`` bytes, or all that hold any."""
    going: list[Ended] = []
    for one in found:
        if excess <= 0:
            break
        if sizes.get(one.id):
            going.append(one)
            excess -= sizes[one.id]
    return going


def weigh(session: Session, folders: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Return the bytes that each job or dataset holds, a dataset with its jobs, and those of all that is deleted already.

    Args:
        folders: bytes of the folders of jobs and datasets.
    """
    sizes, leaving = dict(folders), 0
    for job_id, dataset_id, deleted_at in session.execute(select(Job.id, Job.parent, Job.deleted_at)):
        size = folders.get(job_id, 0)
        if deleted_at is not None:
            leaving += size
        elif dataset_id is not None:
            sizes[dataset_id] = sizes.get(dataset_id, 0) + size
    deleted = session.execute(select(Dataset.id).where(Dataset.deleted_at.is_not(None))).scalars()
    return sizes, leaving + sum(folders.get(dataset_id, 0) for dataset_id in deleted)


def delete(session: Session, one: Ended) -> None:
    """Mark it as its owner would: it can be brought back for a while, then it is purged with its files."""
    moment = job_repository.now(session)
    if one.kind == "dataset":
        session.execute(update(Dataset).where(Dataset.id == one.id).values(deleted_at=moment, lease_until=None))
        repository.mark_jobs(session, one.id, moment)
        return
    verdict = (Job.kind == VERDICT) & (Job.parent == one.id)
    session.execute(update(Job).where(or_(Job.id == one.id, verdict)).values(deleted_at=moment))
