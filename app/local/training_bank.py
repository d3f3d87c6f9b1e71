"""The detector's pictures as described banks: originals and stylised, as they are and worn, one part at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.core.features import DETECTOR_FEATURES, FeatureSet
from app.imaging.wear import halved, recoded, wear
from app.local.making import read, read_manifest
from app.local.picture_files import picture_files
from app.local.training_plan import Part, Sources

if TYPE_CHECKING:
    from workers.verdict.feature_cache import FeatureCache
    from workers.verdict.training import Bank

Pixels = NDArray[np.uint8]
View = Callable[[Pixels], Pixels]

# How the parts that are measured on are seen; the training part is seen as it is and worn at random.
TEST_VIEWS: dict[str, View] = {"clean": lambda pixels: pixels, "JPEG 70": lambda pixels: recoded(pixels, 70), "halved": halved}
WORN = 3


@dataclass(frozen=True)
class Item:
    """One picture file and what it is."""

    path: Path
    group: str
    content: str
    style: str = ""


def items(sources: Sources, part: Part, seed: int, made: Path) -> list[Item]:
    """Return the originals of a part, and the pictures made of it so far."""
    own = sources.part(part, seed)
    kinds = {"photograph": own.photographs, "painting": own.paintings, "style": own.styles}
    originals = [Item(path, group, source_id(path)) for group, paths in kinds.items() for path in paths]
    stylised = [
        Item(made / f"{line['name']}.png", line["generator"], source_id(Path(line["content"])), source_id(Path(line["style"])))
        for line in read_manifest(made)
        if line["part"] == part
    ]
    return originals + stylised


def elsewhere(folder: Path) -> list[Item]:
    """Return the pictures of a generator that is not ours: every picture file in ``folder``.

    A manifest beside them, as `python -m bench.strangers` writes it, tells which share a content or a
    style. Without one each picture is taken to have its own of both, so intervals are too narrow.
    """
    told = {line["name"]: line for line in read_manifest(folder)}
    return [_stranger(path, folder.name, told.get(path.stem)) for path in picture_files(folder)]


def _stranger(path: Path, group: str, line: dict[str, str] | None) -> Item:
    return Item(path, group, line["content"], line["style"]) if line else Item(path, group, path.stem, path.stem)


def source_id(path: Path) -> str:
    """Return what a source file is called in clusters: files of several folders may share a name."""
    return f"{path.parent.name}/{path.name}"


def worn_views(item: Item) -> dict[str, View]:
    """Return the training part's views of one picture: as it is, and worn in ways that its name decides."""
    seed = int.from_bytes(hashlib.sha256(item.path.name.encode()).digest()[:4])
    worn = {f"worn {number}": partial(_worn, seed=(number, seed)) for number in range(WORN)}
    return {"clean": TEST_VIEWS["clean"], **worn}


def _worn(pixels: Pixels, *, seed: tuple[int, int]) -> Pixels:
    return wear(pixels, np.random.default_rng(seed))


def describe(
    cache: FeatureCache,
    chosen: Sequence[Item],
    views: Callable[[Item], dict[str, View]],
    *,
    feature_set: FeatureSet = DETECTOR_FEATURES,
    on_progress: Callable[[int, int], None] | None = None,
) -> Bank:
    """Return every view of every item with its features; pictures are read when their turn comes.

    Args:
        on_progress: told pictures done and planned.
    """
    from workers.verdict.training import Bank

    seen = [(item, name) for item in chosen for name in views(item)]

    def pictures() -> Iterator[Pixels]:
        for item in chosen:
            pixels = read(item.path)
            for view in views(item).values():
                yield view(pixels)

    def tell(done: int) -> None:
        if on_progress:
            on_progress(done, len(seen))

    features = cache.describe(pictures(), feature_set, on_progress=tell)
    columns = ((item.group, name, item.path.stem, item.content, item.style) for item, name in seen)
    return Bank(features, *(np.array(column, dtype=np.str_) for column in zip(*columns, strict=True)))
