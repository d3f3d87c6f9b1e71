"""`pentimento lab hypothesis`: the grid on folders of labelled pictures, in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.core.config import Settings
from app.core.errors import InputError
from app.core.hypothesis import AUGMENTATIONS, CONTRASTS, HypothesisReport, HypothesisSpec, HypothesisStep
from app.core.progress import StopRequested
from app.imaging import encode
from app.imaging.decode import DecoderPool, Limits
from app.lab import hypothesis_files, hypothesis_page
from app.lab.archives import Member
from app.lab.folders import classes
from app.lab.hypothesis_view import percent, told
from app.local.painting import interruptible, read, write
from app.local.picture_files import picture_files
from app.local.terminal import console, hushed, prepare_weights, say

if TYPE_CHECKING:
    from collections.abc import Iterator

Pixels = NDArray[np.uint8]
_STAGES = {"prepare": "Reading styles", "describe": "Describing pictures", "train": "Training", "finish": "Done"}


@dataclass(frozen=True)
class Order:
    """What was asked for on the command line.

    Attributes:
        folder: of ``class/…`` or ``domain/class/…``.
        styles: folders; without ``unseen`` half of what is in them is kept for the test.
        unseen: folders of styles kept for the test.
        output: folder of the report's files.
    """

    folder: Path
    styles: tuple[Path, ...]
    unseen: tuple[Path, ...]
    output: Path
    spec: HypothesisSpec


def spec_of(changes: dict[str, Any]) -> HypothesisSpec:
    """Return the spec with what was given.

    Raises:
        InputError: a value out of range.
    """
    try:
        return HypothesisSpec.model_validate({name: value for name, value in changes.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        title = HypothesisSpec.model_fields[name].title or name
        raise InputError(f"{title}: {first['msg'][:1].lower()}{first['msg'][1:]}. Received: {first['input']!r}.", field=name) from error


def run(settings: Settings, order: Order) -> HypothesisReport:
    """Carry the study out with a progress bar, and write its report as JSON, CSV and HTML.

    The first Ctrl-C ends it after the seeds that are finished.

    Raises:
        InputError: folders without pictures, or too few of them.
    """
    places = labelled(order.folder)
    seen, unseen = (pictures_in(folders) for folders in (order.styles, order.unseen))
    prepare_weights(settings)
    console.print("Loading the networks ...")
    with hushed():
        from workers.study import hypothesis
        from workers.study.labelled import Labelled, StylePicture, divide_styles
        from workers.study.painter import adain
        from workers.style.engine import Engine
        from workers.verdict.feature_cache import FeatureCache
        from workers.verdict.features import Extractor

        features = settings.data / "features"
        describer, painter = FeatureCache(Extractor(settings), features), adain(Engine(settings), order.spec)
    follower = _Follower()
    with DecoderPool(1, Limits.of(settings)) as pool, _bar(follower), interruptible(follower, "a report"):

        def reader(path: Path) -> Callable[[], Pixels]:
            return lambda: encode.read_rgb(pool.decode(read(path)).png)

        pictures = [Labelled(path.name, klass, domain, reader(path)) for path, klass, domain in places]
        styles = [[StylePicture(path.name, reader(path)) for path in paths] for paths in (seen, unseen)]
        trained, tested = styles if unseen else divide_styles(styles[0], order.spec.seed)
        report = hypothesis.run(pictures, trained, tested, order.spec, describer, painter, follower.follow, folder=features)
    _save(report, order)
    return report


def labelled(folder: Path) -> list[tuple[Path, str, str]]:
    """Return path, class and domain of every picture below ``folder``, read as the Lab reads an archive.

    Raises:
        InputError: no pictures, or not in folders of classes.
    """
    paths = picture_files(folder)
    if not paths:
        raise InputError(f"There are no pictures (.jpg, .png, .webp) in folders of classes. Received: {folder}", field="folder")
    members = [Member(number, PurePosixPath(path.relative_to(folder).as_posix()), 0) for number, path in enumerate(paths)]
    places, skipped = classes(members)
    for one in skipped:
        console.print(f"Left out: {one.name}, because {one.reason}.")
    return [(paths[place.number], place.klass, place.domain) for place in places]


def pictures_in(folders: Sequence[Path]) -> list[Path]:
    """Return the pictures in some folders, in order.

    Raises:
        InputError: a folder without any.
    """
    found = []
    for folder in folders:
        if not (ours := picture_files(folder)):
            raise InputError(f"There are no styles (.jpg, .png, .webp) in this folder. Received: {folder}", field="styles")
        found.extend(ours)
    return found


def show(report: HypothesisReport) -> None:
    """Print the grid of each trial, and what it shows."""
    out = Console(highlight=False)
    for trial in report.trials:
        table = Table("", *CONTRASTS.values(), title=f"{trial.title} ({trial.pictures})", title_justify="left", box=None, pad_edge=False)
        for row, title in AUGMENTATIONS.items():
            results = [report.result(row, column, trial.name) for column in CONTRASTS]
            table.add_row(title, *(f"{percent(one.accuracy.value)}  {told(one)[0]}" for one in results))
        out.print(table)
        out.print()
    for sentence in (*report.conclusion, *report.notes):
        out.print(sentence)


def _save(report: HypothesisReport, order: Order) -> None:
    order.output.mkdir(parents=True, exist_ok=True)
    page = hypothesis_page.html(report, title=f"Does it help? {order.folder.name}")
    for name, data in (
        ("hypothesis.json", hypothesis_files.to_json(report)),
        ("hypothesis.csv", hypothesis_files.grid_csv(report)),
        ("hypothesis.html", page.encode()),
    ):
        write(order.output / name, data)
    say(f"The report lies in {order.output}: hypothesis.html, hypothesis.json and hypothesis.csv.")


class _Follower:
    """Hears of the study's steps, shows them, and asks it to stop."""

    def __init__(self) -> None:
        self.stopped = False
        self._shown: tuple[Progress, TaskID] | None = None

    def show_on(self, progress: Progress) -> None:
        self._shown = progress, progress.add_task(_STAGES["prepare"], total=1.0, note="")

    def follow(self, step: HypothesisStep) -> None:
        if self._shown:
            progress, task = self._shown
            progress.update(task, completed=step.fraction, description=_STAGES[step.stage], note=note(step))
        if self.stopped:
            # Before the first seed is finished there is nothing to report.
            raise StopRequested if step.runs >= len(AUGMENTATIONS) * len(CONTRASTS) else KeyboardInterrupt


def note(step: HypothesisStep) -> str:
    """Return what stands beside the bar: pictures described, or the cell being trained, and the time left."""
    parts = [f"{step.described}/{step.pictures}" if step.stage != "train" else f"{step.runs}/{step.planned}"]
    if step.augmentation and step.contrast:
        parts.append(f"seed {step.seed}: {AUGMENTATIONS[step.augmentation]}, {CONTRASTS[step.contrast]}")
    if step.remaining is not None:
        parts.append(f"{step.remaining:.0f} s left")
    return "  ".join(parts)


@contextmanager
def _bar(follower: _Follower) -> Iterator[None]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as progress:
        follower.show_on(progress)
        yield
