"""`pentimento stylize`: one picture, painted in this process by the same engine as a job."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from app.core.commission import Commission
from app.core.config import Settings
from app.core.errors import InputError
from app.core.finish import Finish
from app.core.progress import Losses, StopRequested
from app.core.progress import Progress as Step
from app.core.specs import StyleParams
from app.imaging import encode
from app.imaging.decode import Decoded, DecoderPool, Limits
from app.imaging.receipt import InputDigest, Receipt, attach
from app.infra import files
from app.jobs import finishing
from app.jobs.commissions import composed
from app.jobs.finishing import Format
from app.jobs.given import MOST_WEIGHT
from app.jobs.pictures import PROTECT, STYLES, is_region, mask_of, part_of
from app.jobs.receipts import kind_of
from app.local.terminal import console, hushed, prepare_weights, say

# Kind of file by the output's suffix and the depth asked for.
KINDS: dict[str, dict[int, Format]] = {
    ".png": {8: "png", 16: "png16"},
    ".jpg": {8: "jpeg"},
    ".jpeg": {8: "jpeg"},
    ".tif": {8: "tiff", 16: "tiff"},
    ".tiff": {8: "tiff", 16: "tiff"},
}
STAGES = {"prepare": "Preparing", "adain": "First picture", "refine": "Painting", "finish": "Finishing"}


@dataclass(frozen=True)
class Order:
    """What was asked for on the command line; ``weights``, ``masks`` and ``parts`` are the paintings', in their order."""

    content: Path
    styles: tuple[Path, ...]
    output: Path
    preset: str
    params: StyleParams
    force: bool
    weights: tuple[float, ...] = ()
    protect: Path | None = None
    depth: int = 8
    masks: tuple[Path | None, ...] = ()
    parts: tuple[Path | None, ...] = ()

    @property
    def files(self) -> dict[str, Path]:
        """The picture files by role, see ``pictures.given``."""
        found: dict[str, Path | None] = {"content": self.content}
        for number, role in enumerate(STYLES[: len(self.styles)]):
            found[role] = self.styles[number]
            found[mask_of(role)] = self.masks[number] if self.masks else None
            found[part_of(role)] = self.parts[number] if self.parts else None
        return {role: path for role, path in {**found, PROTECT: self.protect}.items() if path is not None}


def paint(settings: Settings, order: Order) -> None:
    """Paint and write the picture, with a progress bar.

    Raises:
        InputError: a file that cannot be read, or an output that cannot be written as asked.
    """
    check_output(order.output, order.force, order.depth)
    check_paintings(order)
    with DecoderPool(1, Limits.of(settings)) as pool:
        pictures = {role: pool.decode(read(path), field=role, region=is_region(role)) for role, path in order.files.items()}
    prepare_weights(settings)
    # TensorFlow takes seconds to load: only now, when nothing else can be wrong.
    console.print("Loading the networks ...")
    with hushed():
        from workers.style import painting
        from workers.style.engine import Engine

        engine = Engine(settings)
    follower = Follower()
    commission = commission_of(order, pictures)
    with bar(follower), interruptible(follower):
        painted = painting.paint(engine, commission, follower.follow)
    finish = Finish.usual(order.params)
    picture = finishing.finished_on(painted.picture, commission.content, finish)
    alpha = pictures["content"].alpha
    seen = None if alpha is None else finishing.alpha_of(encode.read_rgb(alpha.png), *picture.shape[:2])
    kind = KINDS[order.output.suffix.lower()][order.depth]
    receipt = receipt_of(order, pictures, painted.facts, follower.stopped)
    write(order.output, attach(finishing.ENCODERS[kind](picture, seen), receipt))
    stopped = f" Stopped after {receipt.iterations} of {receipt.planned} iterations." if follower.stopped else ""
    say(f"{order.output}: {picture.shape[1]} × {picture.shape[0]} pixels in {receipt.elapsed:.1f} s.{stopped}")


def commission_of(order: Order, pictures: Mapping[str, Decoded]) -> Commission:
    weights = dict(zip(STYLES, order.weights, strict=False))
    return composed(pictures, lambda role: encode.read_rgb(pictures[role].png), weights, order.params)


def check_paintings(order: Order) -> None:
    """Raise unless there are as many of everything as there are paintings, or none."""
    count = len(order.styles)
    if count > len(STYLES):
        raise InputError(f"At most {len(STYLES)} paintings can be mixed. Received: {count}.", field="style")
    for name, given in (("weight", order.weights), ("mask", order.masks), ("part", order.parts)):
        if given and len(given) != count:
            rest = "" if name == "weight" else f"; --{name} - leaves one out"
            raise InputError(f"Give one --{name} for each --style, or none{rest}. Received: {len(given)} for {count}.", field=name)
    if any(not 0 < weight <= MOST_WEIGHT for weight in order.weights):
        said = ", ".join(f"{weight:g}" for weight in order.weights)
        raise InputError(f"A weight is a number above 0, up to {MOST_WEIGHT:g}. Received: {said}.", field="weight")


class Follower:
    """Hears of the engine's steps, shows them, and asks it to stop."""

    def __init__(self) -> None:
        self.stopped = False
        self._shown: tuple[Progress, TaskID] | None = None
        self._losses: Losses | None = None
        self._has_picture = False

    def show_on(self, progress: Progress) -> None:
        self._shown = progress, progress.add_task("Preparing", total=1.0, note="")

    def follow(self, step: Step) -> None:
        self._losses = step.losses or self._losses
        self._has_picture |= step.preview is not None
        if self._shown:
            progress, task = self._shown
            progress.update(task, completed=step.fraction, description=STAGES[step.stage], note=note(step, self._losses))
        if self.stopped:
            # Before the first picture there is nothing to keep.
            raise StopRequested if self._has_picture else KeyboardInterrupt


def note(step: Step, losses: Losses | None) -> str:
    """Return what stands beside the bar: scale, iteration, newest loss and the time left, as far as they are known."""
    parts = [f"{step.scale} px"]
    if step.iterations:
        parts.append(f"{step.iteration}/{step.iterations}")
    if losses and step.stage == "refine":
        parts.append(f"loss {losses.total:.3g}")
    if step.remaining is not None:
        parts.append(f"{step.remaining:.0f} s left")
    return "  ".join(parts)


@contextmanager
def bar(follower: Follower) -> Iterator[None]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as progress:
        follower.show_on(progress)
        yield


class Stoppable(Protocol):
    """Somebody who can be asked to stop."""

    stopped: bool


@contextmanager
def interruptible(follower: Stoppable, kept: str = "a picture") -> Iterator[None]:
    """The first Ctrl-C asks for what there is so far, such as the best picture; the second ends without it."""
    before = signal.getsignal(signal.SIGINT)

    def ask(_number: int, _frame: object) -> None:
        follower.stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        console.print(f"Stopping after this step; Ctrl-C again ends without {kept}.")

    signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def check_output(path: Path, force: bool, depth: int = 8) -> None:
    if path.suffix.lower() not in KINDS:
        raise InputError(f"The output's name has to end in .png, .jpg, .jpeg, .tif or .tiff. Received: {path}", field="output")
    if depth not in KINDS[path.suffix.lower()]:
        raise InputError(f"A picture has 8 bits a channel; a PNG or TIFF can have 16. Received: {depth} for {path}", field="output")
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"{path} is a folder, or lies in one that does not exist.", field="output")
    if path.exists() and not force:
        raise InputError(f"{path} exists already. Choose another name, or add --force to overwrite it.", field="output")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"The folder of {path} cannot be written to.", field="output")


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def write(path: Path, data: bytes) -> None:
    """Write whole or not at all.

    Raises:
        StorageFull: the disk has no room.
        InputError: anything else, such as a folder that may not be written to.
    """
    try:
        with files.room_for(str(path)):
            files.write(path, data, private=False)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}. Choose another place.", field="output") from error


def receipt_of(order: Order, pictures: Mapping[str, Decoded], facts: dict[str, Any], stopped: bool) -> Receipt:
    """Return what the receipt in the file says; the same as that of a job, without the job's name."""
    return Receipt(
        created=datetime.now(UTC),
        preset=order.preset,
        parameters=order.params,
        inputs=tuple(digest(order, role, picture) for role, picture in pictures.items()),
        finish=Finish.usual(order.params),
        stopped_early=stopped,
        **facts,
    )


def digest(order: Order, role: str, picture: Decoded) -> InputDigest:
    weight = order.weights[STYLES.index(role)] if role in STYLES and order.weights else 1.0
    sha256 = hashlib.sha256(picture.png).hexdigest()
    return InputDigest(role=kind_of(role), sha256=sha256, width=picture.width, height=picture.height, weight=weight)
