"""Features of pictures made from others, such as stylised ones, remembered by what they were made from."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.features import FeatureSet
from app.imaging.neutral import VERSION
from workers.verdict.remembered import believed, used

Pixels = NDArray[np.uint8]
_AT_ONCE = 16


class Describer(Protocol):
    """``workers.verdict.feature_cache.FeatureCache``, or an ``Extractor``."""

    @property
    def precision(self) -> str: ...

    def stream(self, pictures: Iterable[Pixels], feature_set: FeatureSet) -> Iterator[NDArray[np.float32]]: ...


@dataclass(frozen=True)
class Recipe:
    """A picture to be made. ``key`` says everything that decides its pixels."""

    key: tuple[str, ...]
    make: Callable[[], Pixels]


class Derived:
    """Describes made pictures; one that was made before is neither made nor described again."""

    def __init__(self, describer: Describer, folder: Path | None) -> None:
        """Keep features in ``folder``; None keeps none."""
        self._describer, self._folder = describer, folder

    def stream(self, recipes: Iterable[Recipe], feature_set: FeatureSet) -> Iterator[NDArray[np.float32]]:
        """Yield float32 (feature_set.length,) for each recipe, with no more than a few pictures in memory."""
        waiting = iter(recipes)
        while some := list(islice(waiting, _AT_ONCE)):
            places = [self._place(one, feature_set) for one in some]
            found = [_load(place, feature_set.length) for place in places]
            missing = [number for number, row in enumerate(found) if row is None]
            rows = self._describer.stream((some[number].make() for number in missing), feature_set)
            for number, row in zip(missing, rows, strict=True):
                found[number] = row
                _save(places[number], row)
            yield from (row for row in found if row is not None)

    def _place(self, recipe: Recipe, feature_set: FeatureSet) -> Path | None:
        if self._folder is None:
            return None
        text = repr((VERSION, self._describer.precision, feature_set.parts, recipe.key))
        key = hashlib.sha256(text.encode()).hexdigest()
        return self._folder / key[:2] / f"{key[2:]}.npy"


def digest(pixels: Pixels) -> str:
    """Return the SHA-256 of a picture's shape and pixels."""
    found = hashlib.sha256(repr(pixels.shape).encode())
    found.update(np.ascontiguousarray(pixels).data)
    return found.hexdigest()


def _load(place: Path | None, length: int) -> NDArray[np.float32] | None:
    if place is None:
        return None
    try:
        row = np.load(place, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        # Not there, or damaged: made anew.
        return None
    if row.dtype != np.float32 or not believed(row, length):
        return None
    used(place)
    return row


def _save(place: Path | None, row: NDArray[np.float32]) -> None:
    if place is None:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".partial-", delete=False) as file:
        np.save(file, row, allow_pickle=False)
    Path(file.name).replace(place)
