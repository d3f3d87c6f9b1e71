"""Vectors kept on disk, by what they were computed from, so that no picture goes through the network twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.core.features import FeatureSet
from app.imaging.neutral import VERSION
from workers.verdict.features import BATCH, Extractor, OnDescribed
from workers.verdict.remembered import place_of, recall, remember


class FeatureCache:
    """An Extractor that remembers: one small file for each picture and feature set.

    The key is the SHA-256 of the pixels, the feature set's parts, the preprocessing's version and
    the network's number format; a change of any of them computes anew.
    """

    def __init__(self, extractor: Extractor, folder: Path) -> None:
        self._extractor, self._folder = extractor, folder

    @property
    def precision(self) -> str:
        return self._extractor.precision

    def stream(
        self, pictures: Iterable[NDArray[np.uint8]], feature_set: FeatureSet, *, batch: int = BATCH, on_progress: OnDescribed | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """As ``Extractor.stream``; pictures seen before are not computed again."""
        waiting = iter(pictures)
        done = 0
        while some := list(islice(waiting, batch)):
            places = [self._place(picture, feature_set) for picture in some]
            found = {place: row for place in places if (row := recall(place, feature_set.length)) is not None}
            missing = {place: picture for place, picture in zip(places, some, strict=True) if place not in found}
            rows = self._extractor.stream(missing.values(), feature_set, batch=batch)
            for place, row in zip(missing, rows, strict=True):
                remember(place, row)
                found[place] = row
            yield from (found[place] for place in places)
            done += len(some)
            if on_progress:
                on_progress(done)

    def describe(
        self, pictures: Iterable[NDArray[np.uint8]], feature_set: FeatureSet, *, batch: int = BATCH, on_progress: OnDescribed | None = None
    ) -> NDArray[np.float32]:
        """As ``Extractor.describe``."""
        rows = list(self.stream(pictures, feature_set, batch=batch, on_progress=on_progress))
        return np.stack(rows) if rows else np.zeros((0, feature_set.length), np.float32)

    def _place(self, picture: NDArray[np.uint8], feature_set: FeatureSet) -> Path:
        digest = hashlib.sha256(repr((VERSION, self._extractor.precision, feature_set.parts, picture.shape)).encode())
        digest.update(np.ascontiguousarray(picture).data)
        return place_of(self._folder, digest.hexdigest())
