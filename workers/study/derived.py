"""Features of pictures made from others, such as stylised ones, remembered by what they were made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.core.features import FeatureSet
from app.imaging.neutral import VERSION
from workers.study.describer import Describer
from workers.verdict.remembered import place_of, recall, remember

Pixels = NDArray[np.uint8]
_AT_ONCE = 16


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
            found = [recall(place, feature_set.length) if place else None for place in places]
            missing = [number for number, row in enumerate(found) if row is None]
            rows = self._describer.stream((some[number].make() for number in missing), feature_set)
            for number, row in zip(missing, rows, strict=True):
                found[number] = row
                if place := places[number]:
                    remember(place, row)
            yield from (row for row in found if row is not None)

    def _place(self, recipe: Recipe, feature_set: FeatureSet) -> Path | None:
        if self._folder is None:
            return None
        text = repr((VERSION, self._describer.precision, feature_set.parts, recipe.key))
        return place_of(self._folder, hashlib.sha256(text.encode()).hexdigest())


def digest(pixels: Pixels) -> str:
    """Return the SHA-256 of a picture's shape and pixels."""
    found = hashlib.sha256(repr(pixels.shape).encode())
    found.update(np.ascontiguousarray(pixels).data)
    return found.hexdigest()
