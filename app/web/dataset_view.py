"""A dataset as its page shows it: its newest event in words, its pictures as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.core.specs import PRESETS
from app.jobs.models import Job, State
from app.lab.experiments import LABELS
from app.lab.generators import Generator
from app.lab.models import LABELLED, DatasetPicture
from app.lab.schemas import AT_REST, DatasetDetail, DatasetEvent

STATES = {
    "unpacking": "Taking in…",
    "making": "Being stylised",
    "ready": "Ready",
    "cancelled": "Cancelled",
    "failed": "Failed",
}
CELLS = {
    State.QUEUED: "waits",
    State.RUNNING: "is being stylised",
    State.DONE: "done",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}
# Of a large dataset a page shows a part of the grid at a time.
ROWS = 30
# Of each class of a labelled dataset.
EXAMPLES = 8
# On a card.
STRIP = 6


@dataclass(frozen=True)
class Cell:
    """One picture in a grid. ``small`` is the address of its thumbnail, or None while there is none."""

    number: int
    name: str
    state: State
    small: str | None
    page: str

    @property
    def said(self) -> str:
        """Its state, for whoever cannot see it."""
        return CELLS[self.state]


@dataclass(frozen=True)
class Row:
    head: Cell
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Grid:
    """What one generator makes: contents downwards, styles across."""

    generator: str
    help: str
    columns: tuple[Cell, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Class:
    """One class of a labelled dataset with some of its pictures."""

    domain: str
    name: str
    count: int
    examples: tuple[Cell, ...]


Made = Sequence[tuple[DatasetPicture, Job | None]]


@dataclass(frozen=True)
class DatasetView:
    """A dataset.

    Attributes:
        pictures: all of them; left out where no grid is shown.
        first: place of the grid's first row.
        numbers: of pictures that stand for it before any is stylised.
    """

    detail: DatasetDetail
    event: DatasetEvent
    pictures: Made = ()
    first: int = 0
    numbers: Sequence[int] = ()

    @property
    def id(self) -> str:
        return self.detail.id

    @property
    def url(self) -> str:
        return self.detail.links.page

    @property
    def title(self) -> str:
        return self.detail.name

    @property
    def labelled(self) -> bool:
        return self.detail.kind == LABELLED

    @property
    def live(self) -> bool:
        return self.event.state not in AT_REST

    @property
    def state(self) -> str:
        return STATES[self.event.state]

    @property
    def percent(self) -> int:
        return int(self.event.percent)

    @property
    def usable(self) -> bool:
        """There is something that experiments can be run on."""
        return self.event.state in ("ready", "cancelled") and self.event.files_taken == self.event.files and self.event.pictures > 0

    @property
    def asks(self) -> bool:
        """Its pictures are originals and stylised ones, as experiments ask: of labelled folders the names say so."""
        return self.usable and (not self.labelled or {LABELS.get(name.lower()) for name in self.detail.classes} == {0, 1})

    @property
    def resumable(self) -> bool:
        return self.event.state == "cancelled" or (
            self.event.state == "ready" and bool(self.event.stylised.failed + self.event.stylised.cancelled)
        )

    @property
    def look(self) -> str:
        """What decides which parts are on the page; only when it changes are all of them drawn again."""
        return f"{self.event.state}-{self.event.skipped}-{self.event.duplicates}"

    @property
    def shape(self) -> str:
        """What decides which cells the grid has."""
        event = self.event
        return f"{event.state == 'unpacking'}-{event.contents}-{event.styles}-{event.stylised.all}"

    @property
    def line(self) -> str:
        """Where it stands, in words."""
        event = self.event
        if event.state == "unpacking":
            return f"Taking in file {min(event.files_taken + 1, event.files)} of {event.files}"
        if event.state == "making":
            return f"{event.stylised.done} of {event.stylised.all} pictures are stylised"
        return self.state

    @property
    def said(self) -> str:
        """Its state as a sentence, for whoever cannot see it."""
        made = f"{self.event.stylised.done} of {self.event.stylised.all} pictures are stylised."
        return {
            "unpacking": "The pictures are being taken in.",
            "making": "The pictures are being stylised.",
            "ready": "The dataset is ready.",
            "cancelled": f"The dataset was cancelled. {made}",
            "failed": f"The dataset could not be taken in. {self.event.error or ''}".strip(),
        }[self.event.state]

    @property
    def contents_of_it(self) -> str:
        """What it holds, in a line."""
        event = self.event
        if event.state == "unpacking":
            # How many of them are contents and styles is not known before all have been looked at.
            return counted(event.files, "file")
        if event.files_taken < event.files:
            return f"{event.files_taken} of {counted(event.files, 'file')} taken in"
        if self.labelled:
            domains = f", {counted(len(self.detail.domains), 'domain')}" if self.detail.domains else ""
            return f"{counted(event.pictures, 'picture')}, {counted(len(self.detail.classes), 'class', 'classes')}{domains}"
        generators = len(self.detail.generators)
        ways = f" × {counted(generators, 'generator')}" if generators > 1 else ""
        contents = f"{counted(event.contents, 'content')} × {counted(event.styles, 'style')}{ways}"
        return contents if self.live else f"{contents}: {event.stylised.done} stylised"

    @property
    def troubles(self) -> list[str]:
        """What did not become a picture, in words."""
        failed, cancelled = self.event.stylised.failed, self.event.stylised.cancelled
        said = [(failed, "could not be stylised"), (cancelled, "was not stylised" if cancelled == 1 else "were not stylised")]
        return [f"{counted(count, 'picture')} {what}." for count, what in said if count and not self.live]

    @property
    def thumbnails(self) -> list[str]:
        """Small pictures that stand for it: the newest stylised ones, or its first."""
        newest = [one.picture for one in self.event.newest[:STRIP]]
        return newest or [picture_url(self.id, number, small=True) for number in self.numbers]

    @cached_property
    def cells(self) -> dict[int, Cell]:
        """Every picture by its number."""
        return {row.number: cell(self.detail, row, job) for row, job in self.pictures}

    @cached_property
    def grids(self) -> list[Grid]:
        """What each generator makes; one without any for a dataset that has only been taken in."""
        if self.labelled:
            return []
        made = [row for row, _ in self.pictures if row.role == "stylised"]
        names = list(dict.fromkeys([*(one.name for one in self.detail.generators), *(row.generator for row in made)]))
        place = {(row.content, row.style, row.generator): row.number for row in made}
        rows = [row for row, _ in self.pictures if row.role == "content"][self.first : self.first + ROWS]
        columns = [row for row, _ in self.pictures if row.role == "style"]
        known = {one.name: one for one in self.detail.generators}
        return [
            Grid(
                name,
                _help(known.get(name)),
                tuple(self.cells[column.number] for column in columns),
                tuple(
                    Row(
                        self.cells[row.number],
                        tuple(self.cells.get(place.get((row.number, column.number, name), 0)) for column in columns),
                    )
                    for row in rows
                ),
            )
            for name in names
        ]

    @cached_property
    def shown(self) -> list[Cell]:
        """The stylised pictures on the page, each once."""
        return [one for grid in self.grids for row in grid.rows for one in row.cells if one is not None]

    @property
    def earlier(self) -> int | None:
        """First row of the part before this one."""
        return max(0, self.first - ROWS) if self.first else None

    @property
    def later(self) -> int | None:
        return self.first + ROWS if self.first + ROWS < self.event.contents else None

    @property
    def classes(self) -> list[Class]:
        """The classes of a labelled dataset, domain by domain."""
        groups: dict[tuple[str, str], list[Cell]] = {}
        for row, _ in self.pictures:
            groups.setdefault((row.domain, row.klass), []).append(self.cells[row.number])
        return [Class(domain, name, len(cells), tuple(cells[:EXAMPLES])) for (domain, name), cells in sorted(groups.items())]

    @property
    def alike(self) -> list[tuple[Cell, Cell]]:
        """Pairs of pictures that look alike."""
        pairs = ((self.cells.get(pair.one), self.cells.get(pair.other)) for pair in self.detail.alike)
        return [(one, other) for one, other in pairs if one is not None and other is not None]

    def now(self, event: DatasetEvent, pictures: Made | None = None) -> DatasetView:
        return DatasetView(self.detail, event, self.pictures if pictures is None else pictures, self.first)


def cell(detail: DatasetDetail, row: DatasetPicture, job: Job | None) -> Cell:
    state = State.DONE if row.key is not None else State(job.state) if job is not None else State.CANCELLED
    there = row.key is not None or (job is not None and job.result is not None)
    return Cell(
        row.number,
        row.name,
        state,
        picture_url(detail.id, row.number, small=True) if there else None,
        f"{detail.links.page}/pictures/{row.number}",
    )


def picture_url(dataset_id: str, number: int, *, small: bool) -> str:
    return f"/api/lab/datasets/{dataset_id}/pictures/{number}{'?size=small' if small else ''}"


def view(detail: DatasetDetail, pictures: Made = (), first: int = 0, numbers: Sequence[int] = ()) -> DatasetView:
    return DatasetView(detail, detail, pictures, first, numbers)


def changed(before: Mapping[int, Cell], after: DatasetView) -> list[Cell]:
    """Return the cells on the page that are not as they were."""
    return [one for one in after.shown if before.get(one.number) != one]


def _help(generator: Generator | None) -> str:
    known = PRESETS.get(generator.preset) if generator else None
    return f"{known.title}: {known.help}" if known else ""


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
