"""What a page or a program sees of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.jobs.job_events import picture_url
from app.jobs.models import Job, State
from app.lab.archives import Skipped
from app.lab.arrivals import Kind
from app.lab.generators import Generator
from app.lab.models import Arrival, Dataset

DatasetState = Literal["unpacking", "making", "ready", "cancelled", "failed"]
# States in which nothing goes on by itself any more.
AT_REST: frozenset[DatasetState] = frozenset({"ready", "cancelled", "failed"})
_ID = "5d1c0a9e7b3f4a628f60d2c4b8a1e973"


class Counts(BaseModel):
    """Stylised pictures by what has become of their jobs."""

    queued: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def all(self) -> int:
        return self.queued + self.running + self.done + self.failed + self.cancelled


class Newest(BaseModel):
    """A picture finished a moment ago."""

    job: str
    picture: str = Field(description="Address of a small picture.")


class DatasetEvent(BaseModel):
    """A dataset at one moment: always the whole of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _ID,
                "state": "making",
                "files": 23,
                "files_taken": 23,
                "contents": 15,
                "styles": 8,
                "stylised": {"queued": 96, "running": 1, "done": 23, "failed": 0, "cancelled": 0},
                "pictures": 46,
                "percent": 24.2,
                "remaining": 118.0,
                "skipped": 0,
                "duplicates": 0,
                "newest": [{"job": "0f3a6f0b8f6d4a1c9c1a5e2d7b4c8e90", "picture": "/api/jobs/0f3a6f0b8f6d4a1c9c1a5e2d7b4c8e90/result"}],
                "error": None,
            }
        }
    )

    id: str
    state: DatasetState
    files: int = Field(description="Files that were sent and may be pictures.")
    files_taken: int = Field(description="How many of them have been looked at.")
    contents: int = 0
    styles: int = 0
    stylised: Counts = Field(description="Pictures to be made, by the state of their jobs; finished ones taken over count as done.")
    pictures: int = Field(0, description="Pictures that are there: of any role, and of the stylised ones those that are done.")
    percent: float = Field(ge=0, le=100, description="Share of the whole work done: taking in, and then stylising.")
    remaining: float | None = Field(None, description="Estimated seconds left; null until measured.")
    skipped: int = Field(0, description="Files left out; the dataset names them with the reasons.")
    duplicates: int = Field(0, description="Pairs of pictures that look alike.")
    newest: list[Newest] = Field(default_factory=list, description="The pictures finished last.")
    error: str | None = None


def state_of(dataset: Dataset, counts: Counts) -> DatasetState:
    if dataset.arrival == Arrival.FAILED:
        return "failed"
    busy = bool(counts.running or (counts.queued and not dataset.cancelled))
    if dataset.arrival == Arrival.UNPACKING:
        return "cancelled" if dataset.cancelled else "unpacking"
    if busy:
        return "making"
    return "cancelled" if dataset.cancelled else "ready"


def event_of(
    dataset: Dataset,
    roles: dict[str, int],
    states: dict[State, int],
    *,
    running: Sequence[Job] = (),
    pace: tuple[int, float] = (0, 0.0),
    newest: Sequence[Job] = (),
) -> DatasetEvent:
    """Return the dataset as its rows tell it.

    Args:
        roles: pictures of each role.
        states: its jobs by state.
        running: those being painted now.
        pace: pictures finished, and the seconds they took.
        newest: jobs finished last.
    """
    counts = Counts(**{str(state.value): count for state, count in states.items()})
    copied = roles.get("stylised", 0) - counts.all
    fraction = _fraction(dataset, counts, running)
    finished, seconds = pace
    left = counts.queued + counts.running
    return DatasetEvent(
        id=dataset.id,
        state=state_of(dataset, counts),
        files=dataset.total,
        files_taken=dataset.taken,
        contents=roles.get("content", 0),
        styles=roles.get("style", 0),
        stylised=counts.model_copy(update={"done": counts.done + max(0, copied)}),
        pictures=sum(roles.values()) - (counts.all - counts.done),
        percent=round(100 * fraction, 1),
        remaining=round(seconds / finished * left, 1) if finished and left else None,
        skipped=len(dataset.skipped),
        duplicates=len(dataset.duplicates),
        newest=[Newest(job=job.id, picture=small_url(job)) for job in newest],
        error=dataset.error,
    )


def _fraction(dataset: Dataset, counts: Counts, running: Sequence[Job]) -> float:
    """Taking in a file counts as much as stylising a picture."""
    if dataset.arrival == Arrival.UNPACKING:
        return dataset.taken / max(dataset.planned, 1)
    partly = sum(float((job.progress or {}).get("percent", 0.0)) / 100 for job in running)
    ended = counts.done + counts.failed + counts.cancelled + min(partly, counts.running)
    return (dataset.taken + ended) / max(dataset.total + counts.all, 1)


def small_url(job: Job) -> str:
    return picture_url(job.id, job.preview) if job.preview else f"/api/jobs/{job.id}/result"


class DatasetLinks(BaseModel):
    self: str
    events: str = Field(description="Server-sent events until nothing goes on any more.")
    manifest: str = Field(description="Each picture with its content, style, generator and parameters.")
    zip: str = Field(description="All pictures with the manifest.")
    cancel: str
    resume: str
    page: str = Field(description="The dataset's page, for people.")


def links(dataset_id: str) -> DatasetLinks:
    api = f"/api/lab/datasets/{dataset_id}"
    return DatasetLinks(
        self=api,
        events=f"{api}/events",
        manifest=f"{api}/manifest",
        zip=f"{api}/zip",
        cancel=f"{api}/cancel",
        resume=f"{api}/resume",
        page=f"/lab/datasets/{dataset_id}",
    )


class Alike(BaseModel):
    """Two pictures that look alike, by their numbers."""

    one: int
    other: int
    bits: int = Field(description="How many of 64 bits of their fingerprints differ.")


class DatasetDetail(DatasetEvent):
    """A dataset: where it stands, and what it is made of."""

    name: str
    kind: Kind
    generators: list[Generator]
    skipped_files: list[Skipped] = Field(description="Files left out, each with the reason.")
    alike: list[Alike] = Field(description="Pairs that look alike: splits keep them together.")
    classes: dict[str, int] = Field(default_factory=dict, description="Of a labelled dataset: pictures of each class.")
    domains: dict[str, int] = Field(default_factory=dict, description="Of a labelled dataset: pictures of each domain.")
    created_at: float = Field(description="Seconds since 1970.")
    links: DatasetLinks


def detail(dataset: Dataset, event: DatasetEvent, classes: dict[str, int], domains: dict[str, int]) -> DatasetDetail:
    return DatasetDetail.model_validate(
        {
            **event.model_dump(),
            "name": dataset.name,
            "kind": dataset.kind,
            "generators": dataset.spec.get("generators", []),
            "skipped_files": dataset.skipped,
            "alike": dataset.duplicates,
            "classes": classes,
            "domains": domains,
            "created_at": dataset.created_at,
            "links": links(dataset.id),
        }
    )
