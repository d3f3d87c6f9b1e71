"""Making the stylised training pictures one by one: resumable, with a manifest and the time left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from app.core.errors import EngineError, PictureError
from app.core.recipes import Recipe
from app.imaging import encode
from app.infra import files
from app.local.training_plan import Row

MANIFEST = "manifest.jsonl"
# Side of the square that a texture is cut from, as a share of the photograph's shorter side.
_TEXTURE = (0.2, 0.45)
_LARGEST = 1024

Pixels = NDArray[np.uint8]
Paint = Callable[[Pixels, Pixels, Recipe], Pixels]


@dataclass(frozen=True, slots=True)
class Made:
    """Where the making stands.

    Attributes:
        row: finished last.
        done, total: pictures.
        elapsed: seconds of this run.
        remaining: estimated seconds left, from the cost of the recipes.
        error: why the last picture could not be made, if so; it is passed over.
    """

    row: Row
    done: int
    total: int
    elapsed: float
    remaining: float
    error: str | None = None


def make(rows: Sequence[Row], folder: Path, paint: Paint, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Made]:
    """Make what is not there yet, yielding after each picture; stop whenever you like and come back.

    A picture is written whole before its line enters the manifest, so a line always has its picture.

    Args:
        rows: the plan.
        folder: gets ``NAME.png`` and ``manifest.jsonl``.
        paint: content, style and recipe to a picture; content and style are uint8 RGB.
        clock: seconds, from any origin.
    """
    there = {line["name"] for line in read_manifest(folder)}
    waiting = [row for row in rows if row.name not in there]
    ahead = sum(row.recipe.cost for row in waiting)
    began, spent = clock(), 0.0
    for number, row in enumerate(waiting, len(rows) - len(waiting) + 1):
        error = None
        try:
            picture = paint(_cropped(read(row.content), row), _styled(read(row.style), row), row.recipe)
            files.write(folder / f"{row.name}.png", encode.png(picture), private=False)
            _note(folder, row, picture)
        except (EngineError, PictureError) as problem:
            error = problem.message
        spent += row.recipe.cost
        elapsed = clock() - began
        yield Made(row, number, len(rows), elapsed, elapsed / spent * (ahead - spent), error)


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """Return the manifest's lines: name, part, content, style, style_kind, recipe, width, height. Empty where there is none.

    A last line cut short by a crash is left out; its picture is made again.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def read(path: Path) -> Pixels:
    """Return a picture file as uint8 RGB, upright, at most 1024 pixels long.

    Raises:
        PictureError: not a picture that can be read.
    """
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (2 * _LARGEST, 2 * _LARGEST))
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise PictureError(f"{path} is not a picture that can be read.") from error
    image.thumbnail((_LARGEST, _LARGEST), Image.Resampling.LANCZOS)
    return np.array(image)


def _note(folder: Path, row: Row, picture: Pixels) -> None:
    line = {
        "name": row.name,
        "part": row.part,
        "content": row.content.as_posix(),
        "style": row.style.as_posix(),
        "style_kind": row.style_kind,
        "generator": row.recipe.generator,
        "recipe": row.recipe.model_dump(mode="json"),
        "width": picture.shape[1],
        "height": picture.shape[0],
    }
    path = folder / MANIFEST
    # After a torn line a fresh one begins on its own.
    torn = path.is_file() and not path.read_bytes().endswith(b"\n")
    with path.open("a") as file:
        file.write("\n" * torn + json.dumps(line) + "\n")
        file.flush()


def _cropped(content: Pixels, row: Row) -> Pixels:
    """Return the middle of the content at the recipe's proportions."""
    if row.recipe.ratio is None:
        return content
    wide, high = row.recipe.ratio
    height, width = content.shape[:2]
    unit = min(width / wide, height / high)
    across, down = max(1, round(unit * wide)), max(1, round(unit * high))
    left, top = (width - across) // 2, (height - down) // 2
    return content[top : top + down, left : left + across]


def _styled(style: Pixels, row: Row) -> Pixels:
    """Return the whole style, or of a texture's photograph a small square at a place that the row's seed decides."""
    if row.style_kind != "texture":
        return style
    rng = np.random.default_rng(row.seed)
    height, width = style.shape[:2]
    side = max(32, round(float(rng.uniform(*_TEXTURE)) * min(height, width)))
    side = min(side, height, width)
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    return style[top : top + side, left : left + side]
