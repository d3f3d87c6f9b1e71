"""`pentimento lab run`: one experiment from folders to report, in this process, without any server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.core.commission import Commission
from app.core.config import Settings
from app.core.errors import InputError
from app.core.progress import StopRequested
from app.core.report import Report
from app.core.studies import StudyStep
from app.imaging import encode
from app.imaging.decode import DecoderPool, Limits
from app.imaging.fingerprint import fingerprint
from app.imaging.kinds import sniff
from app.infra import files
from app.lab import report_files, report_page
from app.lab.archives import Member
from app.lab.folders import classes
from app.lab.generators import Generator
from app.local.lab_config import Config
from app.local.painting import interruptible, write
from app.local.picture_files import picture_files
from app.local.terminal import console, hushed, prepare_weights, say

if TYPE_CHECKING:
    from workers.study.specimens import Specimen
    from workers.style.engine import Engine

Pixels = NDArray[np.uint8]
MANIFEST = "manifest.jsonl"
_HEAD = 4096
_STAGES = {
    "prepare": "Preparing",
    "describe": "Describing pictures",
    "train": "Training",
    "classify": "Classifying",
    "baselines": "Measuring baselines",
    "permute": "Permuting labels",
    "finish": "Done",
}


@dataclass(frozen=True)
class _Picture:
    """A picture of a folder, and its decoded copy."""

    path: Path
    copy: Path
    sha256: str

    def pixels(self) -> Pixels:
        return encode.read_rgb(self.copy.read_bytes())


def run(settings: Settings, config: Config) -> Report:
    """Stylise what is not there yet, carry the experiment out, and write its report.

    The first Ctrl-C ends it after the run that goes on; what was finished is reported.

    Raises:
        InputError: folders without pictures, or pictures of which no experiment can be made.
    """
    prepare_weights(settings)
    console.print("Loading the networks ...")
    with hushed():
        from workers.study.experiment import conduct
        from workers.verdict.feature_cache import FeatureCache
        from workers.verdict.features import Extractor

        describer = FeatureCache(Extractor(settings), config.work / "features")
    follower = _Follower()
    with DecoderPool(1, Limits.of(settings)) as pool, _bar(follower), interruptible(follower, "a report"):
        specimens, largest = _specimens(settings, config, pool, follower)
        done = conduct(specimens, config.spec, describer, follower.follow, largest=largest)
    _save(done.report, done.detector, config)
    return done.report


def show(report: Report) -> None:
    """Print the table of the splits, train against test."""
    table = Table("Split", "AUROC, train", "AUROC, test", "95 %", "Accuracy, test", box=None, pad_edge=False)
    for split in report.splits:
        auroc, accuracy = split.test["auroc"], split.test["accuracy"]
        between = f"{auroc.interval.low:.3f} to {auroc.interval.high:.3f}" if auroc.interval else ""
        table.add_row(split.title, _number(split.train["auroc"].value), _number(auroc.value), between, _number(accuracy.value))
    out = Console(highlight=False)
    out.print(table)
    for sentence in [f"Left out: {one.why}" for one in report.left_out] + [one.sentence for one in report.findings if not one.sound]:
        out.print(sentence)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _specimens(settings: Settings, config: Config, pool: DecoderPool, follower: _Follower) -> tuple[list[Specimen], int | None]:
    from workers.study.specimens import Specimen

    dataset = config.dataset
    if dataset.folder is not None:
        return [Specimen(**one) for one in _labelled(dataset.folder, pool)], None
    if dataset.contents is None or dataset.styles is None:
        raise InputError("The dataset is either folder, or contents and styles.")
    contents, styles = (
        _pictures(folder, config.work, pool, what) for folder, what in ((dataset.contents, "contents"), (dataset.styles, "styles"))
    )
    made = list(_made(settings, config, contents, styles, follower))
    originals = [Specimen(one.path.name, 0, one.path.name, one.pixels) for one in contents]
    prints = {one.path: fingerprint(one.pixels()) for one in styles}
    stylised = [
        Specimen(f"{c.path.name} × {s.path.name}", 1, c.path.name, _reader(path), s.path.name, way.name, style_print=prints[s.path])
        for c, s, way, path in made
    ]
    return originals + stylised, min(way.params.size for way in config.ways)


def _made(
    settings: Settings, config: Config, contents: Sequence[_Picture], styles: Sequence[_Picture], follower: _Follower
) -> Iterator[tuple[_Picture, _Picture, Generator, Path]]:
    """Yield each combination with its picture, painted now or in an earlier run, and write the manifest of all."""
    engine: Engine | None = None
    plan = [(content, style, way) for way in config.ways for content in contents for style in styles]
    lines = []
    for number, (content, style, way) in enumerate(plan):
        follower.making(number, len(plan))
        path = config.work / "pictures" / f"{_key(content, style, way)}.png"
        if not path.exists():
            if engine is None:
                from workers.style.engine import Engine

                engine = Engine(settings)
            picture = encode.rgb(engine.stylize(Commission.of(content.pixels(), style.pixels(), way.params), lambda _: follower.obey()))
            follower.obey()
            files.write(path, encode.png(picture), private=False)
        lines.append(
            {
                "file": path.name,
                "content": content.path.name,
                "style": style.path.name,
                "generator": way.name,
                "params": way.params.model_dump(mode="json"),
            }
        )
        yield content, style, way, path
    write(config.work / MANIFEST, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines).encode())


def _key(content: _Picture, style: _Picture, way: Generator) -> str:
    """Return what names a picture: everything that decides its pixels."""
    return hashlib.sha256(f"{content.sha256} {style.sha256} {way.params.model_dump_json()}".encode()).hexdigest()[:32]


def _labelled(folder: Path, pool: DecoderPool) -> Iterator[dict[str, Any]]:
    """Yield what makes a specimen of each picture in the folders original and stylised; a domain is taken for the generator."""
    labels = {"original": 0, "originals": 0, "stylised": 1, "stylized": 1}
    paths = picture_files(folder)
    if not paths:
        raise InputError(f"There are no pictures (.jpg, .png, .webp) here. Received: {folder}", field="folder")
    places, skipped = classes([Member(number, PurePosixPath(path.relative_to(folder).as_posix()), 0) for number, path in enumerate(paths)])
    for one in skipped:
        console.print(f"Left out: {one.name}, because {one.reason}.")
    for place in places:
        if (label := labels.get(place.klass.lower())) is None:
            raise InputError(f"The pictures have to lie in the folders original and stylised. Received: {place.klass!r}.", field="folder")
        path = paths[place.number]
        with path.open("rb") as file:
            form = sniff(file.read(_HEAD))

        def pixels(path: Path = path) -> Pixels:
            return encode.read_rgb(pool.decode(path.read_bytes()).png)

        yield {
            "name": path.name,
            "label": label,
            "content": path.stem,
            "read": pixels,
            "generator": place.domain if label else "",
            "sent": (path.stat().st_size, form),
        }


def _pictures(folder: Path, work: Path, pool: DecoderPool, what: str) -> list[_Picture]:
    """Decode the folder's pictures into ``work``; files that cannot be read are told and left out."""
    found = []
    for path in picture_files(folder):
        try:
            decoded = pool.decode(path.read_bytes())
        except InputError as error:
            console.print(f"Left out: {path.name}. {error.message}")
            continue
        sha256 = hashlib.sha256(decoded.png).hexdigest()
        copy = work / "inputs" / f"{sha256[:32]}.png"
        if not copy.exists():
            files.write(copy, decoded.png, private=False)
        found.append(_Picture(path, copy, sha256))
    if not found:
        raise InputError(f"There are no {what} (.jpg, .png, .webp) in this folder. Received: {folder}", field=what)
    return found


def _reader(path: Path) -> Callable[[], Pixels]:
    return lambda: encode.read_rgb(path.read_bytes())


def _save(report: Report, detector: bytes | None, config: Config) -> None:
    config.output.mkdir(parents=True, exist_ok=True)
    page = report_page.html(report, title=config.output.parent.name)
    written = {
        "report.html": page.encode(),
        "report.json": report_files.to_json(report),
        "metrics.csv": report_files.metrics_csv(report),
        "scores.csv": report_files.scores_csv(report),
    }
    if detector is not None:
        written["detector.safetensors"] = detector
    for name, data in written.items():
        write(config.output / name, data)
    say(f"The report lies in {config.output}: {', '.join(written)}.")


class _Follower:
    """Hears of the steps, shows them, and asks the experiment to stop."""

    def __init__(self) -> None:
        self.stopped = False
        self._shown: tuple[Progress, TaskID] | None = None

    def show_on(self, progress: Progress) -> None:
        self._shown = progress, progress.add_task(_STAGES["prepare"], total=1.0, note="")

    def making(self, done: int, planned: int) -> None:
        if self._shown:
            progress, task = self._shown
            progress.update(task, completed=done / planned, description="Making pictures", note=f"{done}/{planned}")

    def obey(self) -> None:
        if self.stopped:
            # Pictures that were made stay; there is nothing to report yet.
            raise KeyboardInterrupt

    def follow(self, step: StudyStep) -> None:
        if self._shown:
            progress, task = self._shown
            progress.update(task, completed=step.fraction, description=_STAGES[step.stage], note=note(step))
        if self.stopped:
            raise StopRequested if step.runs else KeyboardInterrupt


def note(step: StudyStep) -> str:
    """Return what stands beside the bar: pictures described, or the run that goes on, and the time left."""
    parts = [f"{step.described}/{step.pictures}"] if step.stage == "describe" else []
    if at := step.evaluation:
        parts.append(f"{at.split} seed {at.seed}" + (f" without {at.held_out}" if at.held_out else ""))
        if at.train:
            parts.append(f"{at.train.epoch}/{at.train.epochs}  loss {at.train.loss:.3g}")
    if step.remaining is not None:
        parts.append(f"{step.remaining:.0f} s left")
    return "  ".join(parts)


@contextmanager
def _bar(follower: _Follower) -> Iterator[None]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as progress:
        follower.show_on(progress)
        yield
