"""Which training pictures the detector is made from: parts that share nothing, and a seeded list of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from app.core.errors import InputError
from app.core.recipes import Recipe, draw_adain, draw_optimiser
from app.local.picture_files import picture_files

T = TypeVar("T")
Part = Literal["train", "validation", "test"]
StyleKind = Literal["style", "painting", "photograph", "texture"]

# Share of every kind of source in each part.
PARTS: dict[Part, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}
# What a picture takes its style from. A texture is a close crop of a photograph.
_STYLE_KINDS: dict[StyleKind, float] = {"style": 0.5, "painting": 0.3, "photograph": 0.1, "texture": 0.1}


@dataclass(frozen=True)
class Sources:
    """Files of one part, or of all of them."""

    photographs: tuple[Path, ...]
    paintings: tuple[Path, ...]
    styles: tuple[Path, ...]

    def part(self, part: Part, seed: int) -> Sources:
        """Return the files that belong to ``part``: by name and seed alone, so that adding files moves none."""

        def mine(paths: tuple[Path, ...]) -> tuple[Path, ...]:
            return tuple(path for path in paths if part_of(path, seed) == part)

        return Sources(mine(self.photographs), mine(self.paintings), mine(self.styles))


@dataclass(frozen=True)
class Row:
    """One stylised picture to be made."""

    name: str
    part: Part
    content: Path
    style: Path
    style_kind: StyleKind
    seed: int
    recipe: Recipe


def sources(photographs: Sequence[Path], paintings: Sequence[Path], styles: Sequence[Path]) -> Sources:
    """Return every picture in the given folders, sorted by path.

    Raises:
        InputError: a folder without pictures.
    """
    return Sources(_pictures(photographs, "photographs"), _pictures(paintings, "paintings"), _pictures(styles, "styles"))


def part_of(path: Path, seed: int) -> Part:
    """Return the part of a file, decided by its name and ``seed``."""
    place = int.from_bytes(hashlib.sha256(f"{seed}/{path.parent.name}/{path.name}".encode()).digest()[:8]) / 2**64
    for part, share in PARTS.items():
        place -= share
        if place < 0:
            return part
    return "test"


def plan(all_sources: Sources, adain: int, optimiser: int, seed: int) -> list[Row]:
    """Return the rows, generators and parts interleaved, so that any beginning of the list is a fair sample.

    Args:
        adain, optimiser: pictures wanted of each generator, over all parts.
        seed: decides parts, pairs and recipes.

    Raises:
        InputError: a part with no photograph or no style.
    """
    by_part = {part: all_sources.part(part, seed) for part in PARTS}
    for part, own in by_part.items():
        if not (own.photographs and own.paintings and own.styles):
            raise InputError(
                f"Too few pictures: the {part} part needs at least one photograph, painting and style."
                f" Received: {len(own.photographs)}, {len(own.paintings)} and {len(own.styles)}."
            )
    total = adain + optimiser
    rows = []
    for number in range(total):
        rng = np.random.default_rng([seed, number])
        part = _draw(rng, PARTS)
        own = by_part[part]
        slow = (number + 1) * optimiser // total > number * optimiser // total
        recipe = draw_optimiser(rng) if slow else draw_adain(rng)
        kind = _draw(rng, _STYLE_KINDS)
        content = _pick(rng, own.photographs)
        style = _pick(rng, {"style": own.styles, "painting": own.paintings}.get(kind, own.photographs))
        rows.append(Row(f"{number:05d}-{recipe.generator}", part, content, style, kind, int(rng.integers(2**31)), recipe))
    return rows


def _draw(rng: np.random.Generator, shares: dict[T, float]) -> T:
    names = list(shares)
    return names[int(rng.choice(len(names), p=list(shares.values())))]


def _pick(rng: np.random.Generator, paths: tuple[Path, ...]) -> Path:
    return paths[int(rng.integers(len(paths)))]


def _pictures(folders: Sequence[Path], what: str) -> tuple[Path, ...]:
    found = picture_files(*folders)
    if not found:
        raise InputError(f"There are no {what} (.jpg, .png, .webp) in: {', '.join(map(str, folders))}.")
    return tuple(found)
