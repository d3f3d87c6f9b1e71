"""A dataset's pictures as one batch of jobs: each content in each style by each generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.specs import StyleParams
from app.infra.clients import Clients
from app.jobs import repository as job_repository
from app.jobs.models import STYLIZE, TASKS, Job, State
from app.lab import places, repository
from app.lab.generators import Generator, name_of
from app.lab.models import Dataset, DatasetPicture

# Wake-ups sent at once; the sweeper keeps as many waiting as there are jobs.
_WAKE_UPS = 50


def generators_of(dataset: Dataset) -> tuple[Generator, ...]:
    return tuple(Generator.model_validate(one) for one in dataset.spec.get("generators", []))


def generator_of(job: Job) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of the generator that made a finished picture."""
    return name_of(job.preset, StyleParams.model_validate(job.params)), job.params


def queue_batch(session: Session, dataset: Dataset, rows: Sequence[DatasetPicture]) -> list[Job]:
    """Add a row and a job for each combination that the dataset does not have yet.

    The jobs read the dataset's own pictures: nothing is copied.
    """
    contents, styles = ([row for row in rows if row.role == role] for role in ("content", "style"))
    there = {(row.content, row.style, row.generator) for row in rows if row.role == "stylised"}
    number = max((row.number for row in rows), default=0)
    moment = job_repository.now(session)
    jobs: list[Job] = []
    for generator in generators_of(dataset):
        for content in contents:
            for style in styles:
                if (content.number, style.number, generator.name) in there:
                    continue
                number += 1
                job = _job(dataset, content, style, generator)
                # Each a little later than the one before, so that they are painted in this order.
                job.created_at = moment + len(jobs) * 1e-6
                jobs.append(job)
                session.add(_picture(dataset, number, content, style, generator, job))
    session.add_all(jobs)
    return jobs


def queue_missing(session: Session, dataset: Dataset) -> int:
    """Queue again what was cancelled or failed, and anew what is gone; return how many."""
    count = repository.requeue_jobs(session, dataset.id)
    rows = repository.pictures(session, dataset.id)
    by_number = {row.number: row for row in rows}
    there = repository.jobs_of(session, dataset.id)
    moment = job_repository.now(session)
    for row in rows:
        if row.role != "stylised" or row.key is not None or row.job in there:
            continue
        generator = next((one for one in generators_of(dataset) if one.name == row.generator), None)
        content, style = by_number.get(row.content or 0), by_number.get(row.style or 0)
        if generator is None or content is None or style is None:
            continue
        job = _job(dataset, content, style, generator)
        job.created_at = moment
        row.job = job.id
        session.add(job)
        count += 1
    return count


def wake(clients: Clients, jobs: int) -> None:
    """Send wake-ups for a batch, after its rows are committed."""
    for _ in range(min(jobs, _WAKE_UPS)):
        if not clients.broker.wake(TASKS[STYLIZE], STYLIZE, "batch"):
            return


def _job(dataset: Dataset, content: DatasetPicture, style: DatasetPicture, generator: Generator) -> Job:
    return Job(
        id=new_id(),
        kind=STYLIZE,
        owner=dataset.owner,
        parent=dataset.id,
        state=State.QUEUED,
        preset=generator.preset,
        params=generator.params.model_dump(mode="json"),
        inputs={"content": _input(content), "style": _input(style)},
    )


def _input(picture: DatasetPicture) -> dict[str, Any]:
    return {
        "name": picture.name,
        "width": picture.width,
        "height": picture.height,
        "sha256": picture.sha256,
        "key": picture.key,
        "thumbnail": places.thumbnail_key(picture.dataset, picture.number),
    }


def _picture(
    dataset: Dataset, number: int, content: DatasetPicture, style: DatasetPicture, generator: Generator, job: Job
) -> DatasetPicture:
    return DatasetPicture(
        dataset=dataset.id,
        number=number,
        role="stylised",
        name=f"{content.name} × {style.name}"[:240],
        content=content.number,
        style=style.number,
        generator=generator.name,
        params=generator.params.model_dump(mode="json"),
        job=job.id,
    )
