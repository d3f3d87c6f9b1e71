"""Pictures of a study become a table: features, and what the checks for leaks need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.core.features import CHANNELS, FEATURES, FeatureSet
from app.imaging.fingerprint import fingerprint
from app.imaging.neutral import reduced
from workers.study.describer import Describer
from workers.study.views import VIEWS, view
from workers.verdict.baselines import colour_histogram
from workers.verdict.table import UNKNOWN_PRINT, Table, of_columns

Pixels = NDArray[np.uint8]
# Holds every other feature set, so that the network sees a picture once whatever experiments are made of it.
EVERYTHING = FEATURES["both"]


@dataclass(frozen=True)
class Specimen:
    """One picture. ``read`` returns uint8 RGB (height, width, 3).

    Attributes:
        label: 0 for an original, 1 for a stylised picture.
        content, style, generator: what it was made from and how; empty where that does not apply.
        klass: what it shows, where known.
        style_print: fingerprint of the picture that gave the style, where known.
        sent: bytes and format of its file; None for a picture that was made here and never was one.
    """

    name: str
    label: int
    content: str
    read: Callable[[], Pixels]
    style: str = ""
    generator: str = ""
    klass: str = ""
    style_print: int = UNKNOWN_PRINT
    sent: tuple[int, str] | None = None


def table_of(
    specimens: Sequence[Specimen],
    feature_set: FeatureSet,
    describer: Describer,
    *,
    largest: int | None = None,
    views: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> Table:
    """Read and describe each picture once, a few at a time, and return the table of an experiment.

    Args:
        specimens: the pictures.
        feature_set: what describes them.
        describer: turns pixels into numbers.
        largest: pictures with a longer side than this are reduced to it first. A stylised picture
            is as large as its generator made it, its original as large as the camera: without
            this the sharpness left by reducing would tell them apart.
        views: also describe ``VIEWS`` augmented views of each picture.
        on_progress: told how many of how many are described; may raise, which ends the work.

    Raises:
        InputError: as for ``workers.verdict.table.check``.
    """
    reader = _Reader(specimens, largest)
    planned = len(specimens) * (VIEWS if views else 1)
    rows = np.empty((len(specimens), EVERYTHING.length), np.float32)
    for number, row in enumerate(describer.stream(reader.pictures(), EVERYTHING, on_progress=lambda done: on_progress(done, planned))):
        rows[number] = row
    table = of_columns(
        columns_of(rows, feature_set),
        [one.label for one in specimens],
        [one.content for one in specimens],
        [one.style for one in specimens],
        [one.generator for one in specimens],
        [one.name for one in specimens],
    )
    table = replace(
        table,
        pooled=columns_of(rows, FEATURES["pooled"]),
        histogram=np.stack(reader.histograms),
        file=_files(specimens, reader),
        fingerprint=np.array(reader.fingerprints, np.uint64),
        style_fingerprint=np.array([one.style_print for one in specimens], np.uint64),
    )
    if any(one.klass for one in specimens):
        table = replace(table, klass=np.array([one.klass for one in specimens]))
    return replace(table, views=_views(reader, rows, feature_set, describer, on_progress, planned)) if views else table


def columns_of(rows: NDArray[np.float32], wanted: FeatureSet) -> NDArray[np.float32]:
    """Return the (n, wanted.length) columns of (n, EVERYTHING.length) features that another feature set consists of."""
    starts = np.cumsum([0, *(CHANNELS[layer] for layer, _ in EVERYTHING.parts)])
    places = {part: slice(start, start + CHANNELS[part[0]]) for part, start in zip(EVERYTHING.parts, starts, strict=False)}
    return np.concatenate([rows[:, places[part]] for part in wanted.parts], axis=1)


class _Reader:
    """Reads pictures in order, and notes on the way what only the pixels tell."""

    def __init__(self, specimens: Sequence[Specimen], largest: int | None) -> None:
        self._specimens, self._largest = specimens, largest
        self.histograms: list[NDArray[np.float32]] = []
        self.fingerprints: list[int] = []
        self.given: list[tuple[int, int]] = []
        self.sizes: list[tuple[int, int]] = []

    def pictures(self) -> Iterator[Pixels]:
        for specimen in self._specimens:
            given = specimen.read()
            pixels = reduced(given, self._largest)
            self.given.append((given.shape[1], given.shape[0]))
            self.histograms.append(colour_histogram(pixels))
            self.fingerprints.append(fingerprint(pixels))
            self.sizes.append((pixels.shape[1], pixels.shape[0]))
            yield pixels

    def views(self, number: int) -> Iterator[Pixels]:
        return (view(reduced(specimen.read(), self._largest), number) for specimen in self._specimens)


def _files(specimens: Sequence[Specimen], reader: _Reader) -> NDArray[np.float64]:
    """Return the columns of ``FILE`` that are known of every picture: all of them where all were sent, or the size as described."""
    sent = [one.sent for one in specimens if one.sent]
    if len(sent) < len(specimens):
        return np.array(reader.sizes, np.float64)
    formats = sorted({name for _, name in sent})
    return np.array([[*size, count, *(name == one for one in formats)] for size, (count, name) in zip(reader.given, sent, strict=True)])


def _views(
    reader: _Reader,
    rows: NDArray[np.float32],
    feature_set: FeatureSet,
    describer: Describer,
    on_progress: Callable[[int, int], None],
    planned: int,
) -> NDArray[np.float32]:
    """Return (n, VIEWS, d) features; the first view is the picture as it is."""
    found = np.empty((len(rows), VIEWS, feature_set.length), np.float32)
    found[:, 0] = columns_of(rows, feature_set)
    for number in range(1, VIEWS):
        before = number * len(rows)
        stream = describer.stream(
            reader.views(number), EVERYTHING, on_progress=lambda done, before=before: on_progress(before + done, planned)
        )
        for place, row in enumerate(stream):
            found[place, number] = columns_of(row[None], feature_set)[0]
    return found
