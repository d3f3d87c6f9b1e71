"""What is known of each picture, besides its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Table:
    """One row a picture.

    Attributes:
        content: (n,) id of the photograph or painting that it shows.
        style: (n,) id of the style, empty for an original.
        label: (n,) 0 for an original, 1 for a stylised picture.
        klass: (n,) what it is a picture of, where that is known.
    """

    content: NDArray[Any]
    style: NDArray[Any]
    label: NDArray[np.integer]
    klass: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        columns = {name: getattr(self, name) for name in ("content", "style", "label", "klass") if getattr(self, name) is not None}
        for name, column in columns.items():
            object.__setattr__(self, name, np.asarray(column))
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            raise InputError(f"Every column of the table needs one entry a picture. Received: {lengths}.")
        if strange := set(np.unique(self.label).tolist()) - {0, 1}:
            raise InputError(f"A label is 0 for an original or 1 for a stylised picture. Received: {sorted(strange)[0]}.")

    def __len__(self) -> int:
        return len(self.label)

    def rows(self, chosen: NDArray[np.integer] | NDArray[np.bool_] | Sequence[int]) -> Table:
        """Return the table of some rows."""
        chosen = np.asarray(chosen)
        return Table(self.content[chosen], self.style[chosen], self.label[chosen], None if self.klass is None else self.klass[chosen])

    def counts(self) -> str:
        """Return in words how many pictures of each kind there are."""
        stylised = int(np.sum(self.label == 1))
        return f"{len(self) - stylised} originals and {stylised} stylised pictures"

    @staticmethod
    def codes(column: NDArray[Any]) -> NDArray[np.int32]:
        """Return (n,) int32: the number of each entry among the sorted different ones."""
        return np.unique(column, return_inverse=True)[1].astype(np.int32)
