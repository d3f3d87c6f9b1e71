"""The pictures of an experiment as rows of numbers and names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError

ORIGINAL, STYLISED = 0, 1
# A picture of one colour has it too, and tells no more.
UNKNOWN_PRINT = 0
# What a file shows without looking, in the order of its columns.
FILE = ("width", "height", "bytes", "format")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """n pictures; every array has n rows.

    Attributes:
        features: (n, d) float32.
        label: (n,) 0 for an original, 1 for a stylised picture.
        content: (n,) str; an original and what was painted from it share it.
        style: (n,) str; "" for an original, or where it is not known.
        generator: (n,) str; "" for an original, or where it is not known.
        name: (n,) str, for people.
        klass: (n,) str, what the picture shows, where known.
        views: (n, k, d) float32, features of k augmented views of each picture.
        pooled: (n, 2048) pooled InceptionV3 features, where ``features`` has them not.
        histogram: (n, b) colour histograms.
        file: (n, m) what is known of each file without looking: the first of ``FILE``, 0 or 1 for each format.
        fingerprint: (n,) uint64, see ``app.imaging.fingerprint``.
        style_fingerprint: (n,) uint64, that of the picture which gave the style; ``UNKNOWN_PRINT`` without one.
    """

    features: NDArray[np.float32]
    label: NDArray[np.int64]
    content: NDArray[np.str_]
    style: NDArray[np.str_]
    generator: NDArray[np.str_]
    name: NDArray[np.str_]
    klass: NDArray[np.str_] | None = None
    views: NDArray[np.float32] | None = None
    pooled: NDArray[np.float32] | None = None
    histogram: NDArray[np.float32] | None = None
    file: NDArray[np.float64] | None = None
    fingerprint: NDArray[np.uint64] | None = None
    style_fingerprint: NDArray[np.uint64] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            rows = getattr(self, field.name)
            if rows is not None and len(rows) != len(self.label):
                raise InputError(f"Every column needs one row a picture. Received {len(self.label)} labels, {len(rows)} of {field.name}.")

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: NDArray[np.intp]) -> Table:
        """Return the table of these rows, in this order."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return Table(**{name: None if column is None else column[rows] for name, column in columns.items()})

    @property
    def fingerprint_of_rows(self) -> str:
        """SHA-256 of who the pictures are, whatever describes them: two experiments on them can be compared."""
        rows = zip(self.name, self.label, self.content, self.style, self.generator, strict=True)
        return hashlib.sha256("\n".join("\t".join(map(str, row)) for row in rows).encode()).hexdigest()


def check(table: Table) -> None:
    """Refuse a table that no experiment can be made of.

    Raises:
        InputError: features that are not finite numbers, labels other than 0 and 1, one class only.
    """
    if table.features.ndim != 2 or not table.features.shape[1]:
        raise InputError(f"Features need the shape (pictures, length). Received {table.features.shape}.")
    for column in ("features", "views", "pooled", "histogram", "file"):
        values = getattr(table, column)
        if values is not None and not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values.reshape(len(table), -1)).all(axis=1))[0])
            raise InputError(
                f"The {column} of a picture are not all numbers; leave the picture out or replace it. Received {table.name[row]}."
            )
    if not np.isin(table.label, (ORIGINAL, STYLISED)).all():
        strange = table.label[~np.isin(table.label, (ORIGINAL, STYLISED))][0]
        raise InputError(f"A label is 0 for an original and 1 for a stylised picture. Received {strange}.")
    originals, stylised = (int((table.label == value).sum()) for value in (ORIGINAL, STYLISED))
    if min(originals, stylised) < 2:
        raise InputError(
            f"An experiment needs at least two originals and two stylised pictures. Received {originals} original, {stylised} stylised."
        )


def of_columns(
    features: NDArray[np.float32],
    label: Sequence[int],
    content: Sequence[str],
    style: Sequence[str],
    generator: Sequence[str],
    name: Sequence[str],
) -> Table:
    """Return a checked table of plain sequences; add further columns with ``dataclasses.replace``."""
    texts = (np.asarray(column, dtype=np.str_) for column in (content, style, generator, name))
    table = Table(np.ascontiguousarray(features, np.float32), np.asarray(label, np.int64), *texts)
    check(table)
    return table
