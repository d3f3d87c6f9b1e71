"""One picture of a dataset as its page shows it: large, with what it was made from and how."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import NotFound
from app.core.specs import StyleParams
from app.jobs.models import Job
from app.lab.models import DatasetPicture
from app.web.dataset_view import Cell, DatasetView, picture_url
from app.web.form import option, values_of
from app.web.option import Option
from app.web.result_size import result_size

_ROLES = {"content": "Content", "style": "Style", "stylised": "Stylised", "picture": "Picture"}


@dataclass(frozen=True)
class PictureView:
    dataset: DatasetView
    row: DatasetPicture
    job: Job | None

    @property
    def number(self) -> int:
        return self.row.number

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def said(self) -> str:
        return self._cell.said

    @property
    def error(self) -> str | None:
        return self.job.error if self.job else None

    @property
    def large(self) -> str | None:
        return picture_url(self.dataset.id, self.row.number, small=False) if self._cell.small else None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, so that its place is kept free."""
        if self.row.width and self.row.height:
            return self.row.width, self.row.height
        return result_size(self.job) if self.job else (1, 1)

    @property
    def sources(self) -> list[tuple[str, Cell]]:
        """The content and the style it was made from."""
        named = (("Content", self.row.content), ("Style", self.row.style))
        return [(role, self.dataset.cells[number]) for role, number in named if number in self.dataset.cells]

    @property
    def facts(self) -> list[tuple[str, str]]:
        told = [
            ("Number", str(self.row.number)),
            ("Role", _ROLES[self.row.role]),
            ("Class", self.row.klass),
            ("Domain", self.row.domain),
            ("Generator", self.row.generator),
            ("Size", f"{self.size[0]} × {self.size[1]}" if self.large else ""),
            ("Sent as", f"{self.row.format}, {self.row.bytes / 1000:,.0f} kB" if self.row.bytes and self.row.role != "stylised" else ""),
        ]
        return [(term, value) for term, value in told if value]

    @property
    def options(self) -> list[Option]:
        if self.row.params is None:
            return []
        return [option(name, value) for name, value in values_of(StyleParams.model_validate(self.row.params)).items()]

    @property
    def before(self) -> str | None:
        return self._beside(-1)

    @property
    def after(self) -> str | None:
        return self._beside(1)

    @property
    def _cell(self) -> Cell:
        return self.dataset.cells[self.row.number]

    def _beside(self, step: int) -> str | None:
        numbers = sorted(self.dataset.cells)
        place = numbers.index(self.row.number) + step
        return self.dataset.cells[numbers[place]].page if 0 <= place < len(numbers) else None


def picture_of(dataset: DatasetView, number: int) -> PictureView:
    """Return the view of one picture.

    Raises:
        NotFound: the dataset has no such number.
    """
    for row, job in dataset.pictures:
        if row.number == number:
            return PictureView(dataset, row, job)
    raise NotFound(f"There is no picture of that number. Received: {number}")
