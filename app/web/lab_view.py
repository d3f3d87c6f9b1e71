"""The Lab's first page as data: shelves of datasets and experiments, detectors, and what was just deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from app.jobs.models import Job
from app.lab.models import Detector
from app.lab.schemas import DatasetDetail
from app.web.dataset_view import DatasetView
from app.web.dataset_view import view as dataset_view
from app.web.study_view import StudyView, study_view

T = TypeVar("T", Job, DatasetDetail)


@dataclass(frozen=True)
class Shelf(Generic[T]):
    """A page of a list, newest first.

    Attributes:
        before: moment before which the page begins, or None for the newest.
        older: moment before which the next page begins, or None at the end.
    """

    things: tuple[T, ...]
    before: float | None
    older: float | None

    @classmethod
    def of(cls, found: Sequence[T], most: int, before: float | None) -> Self:
        """Return the first ``most`` of what was found; one more says that there are older ones."""
        return cls(tuple(found[:most]), before, found[most - 1].created_at if len(found) > most else None)


@dataclass(frozen=True)
class Gone:
    """Something deleted that can be brought back."""

    title: str
    restore: str

    @classmethod
    def of(cls, job: Job) -> Self:
        shown = study_view(job)
        return cls(shown.title, f"{shown.url}/restore")


@dataclass(frozen=True)
class LabView:
    """``numbers`` are those of pictures that stand for a dataset before any is stylised."""

    datasets: Shelf[DatasetDetail]
    experiments: Shelf[Job]
    detectors: tuple[Detector, ...]
    gone: Gone | None
    numbers: Mapping[str, Sequence[int]]

    @property
    def sets(self) -> list[DatasetView]:
        return [dataset_view(one, numbers=self.numbers.get(one.id, ())) for one in self.datasets.things]

    @property
    def studies(self) -> list[StudyView]:
        return [study_view(one) for one in self.experiments.things]

    @property
    def fresh(self) -> bool:
        """Nothing has been made yet."""
        return not (self.datasets.things or self.experiments.things or self.datasets.before or self.experiments.before)

    @property
    def shipped_judges(self) -> bool:
        return not any(one.active for one in self.detectors)
