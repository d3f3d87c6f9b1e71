"""What is kept of each pair by each system, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.infra import files


@dataclass(frozen=True)
class Painted:
    """How one picture was painted.

    Attributes:
        wall, processor: seconds from the call to the finished picture; of all cores together.
        first: seconds until the first picture was shown; None where only the last is.
        iteration: seconds of one iteration at full size, median; None where there is none.
        iterations: done, over all scales.
        allowed: seconds of one iteration at full size if all of it were matrix products; None where not counted.
        peak_bytes: the most memory its process held so far.
        rates: operations a second in a matrix product by precision, just before or after.
        load: processes that wanted a core in the minute before.
        precision: of the convolutions.
    """

    wall: float
    processor: float
    first: float | None
    iteration: float | None
    iterations: int
    allowed: float | None
    peak_bytes: int
    rates: dict[str, float]
    load: float
    precision: str


@dataclass(frozen=True)
class Measures:
    """What the judge says of a picture: losses at three scales, edges and distance to the photograph, the waffle in decibels."""

    content: float
    style: float
    edges: float
    distance: float
    waffle: float | None

    @property
    def loss(self) -> float:
        return self.content + self.style


@dataclass(frozen=True)
class Record:
    """One pair by one system."""

    system: str
    pair: tuple[str, str]
    size: tuple[int, int]
    painted: Painted
    measures: Measures


class Records:
    """A folder of pictures and figures, a subfolder a system; each file is whole or not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_painted(self, system: str, pair: tuple[str, str]) -> bool:
        return self._path(system, pair, "painted.json").exists()

    def is_judged(self, system: str, pair: tuple[str, str]) -> bool:
        return self._path(system, pair, "measures.json").exists()

    def keep(self, system: str, pair: tuple[str, str], pixels: NDArray[np.uint8], painted: Painted) -> None:
        """Keep a picture and how it was painted; the figures last, as they tell that both are there."""
        path = self.picture_path(system, pair)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        self._write(self._path(system, pair, "painted.json"), asdict(painted))

    def judge(self, system: str, pair: tuple[str, str], measures: Measures) -> None:
        self._write(self._path(system, pair, "measures.json"), asdict(measures))

    def picture_path(self, system: str, pair: tuple[str, str]) -> Path:
        return self._path(system, pair, "png")

    def picture(self, system: str, pair: tuple[str, str]) -> NDArray[np.uint8]:
        return np.asarray(Image.open(self.picture_path(system, pair)).convert("RGB"))

    def all(self, systems: list[str], pairs: list[tuple[str, str]]) -> Iterator[Record]:
        """Yield every record that is painted and judged."""
        for system in systems:
            for pair in pairs:
                if self.is_painted(system, pair) and self.is_judged(system, pair):
                    painted, measures = (
                        json.loads(self._path(system, pair, name).read_text()) for name in ("painted.json", "measures.json")
                    )
                    with Image.open(self.picture_path(system, pair)) as picture:
                        size = picture.size
                    yield Record(system, pair, size, Painted(**painted), Measures(**measures))

    def _path(self, system: str, pair: tuple[str, str], kind: str) -> Path:
        return self._folder / system / f"{'-'.join(pair)}.{kind}"

    def _write(self, path: Path, value: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, json.dumps(value).encode(), private=False)
