"""What a visitor gives for one picture: the photograph, paintings with their weights, regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.imaging.normalise import Decoded
from app.jobs.pictures import ALPHA, STYLES

# Of a painting among several, where nothing is said.
USUAL_WEIGHT = 50.0
MOST_WEIGHT = 100.0

Named = tuple[str, Decoded]


@dataclass(frozen=True)
class Given:
    """Pictures by role (see ``pictures.given``), each with the file name that its owner is shown, and weights of paintings by role."""

    pictures: Mapping[str, Named]
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Named]:
        """Every file to be stored: the photograph's alpha is one of its own."""
        name, content = self.pictures["content"]
        alpha = {} if content.alpha is None else {ALPHA: (name, content.alpha)}
        return {**self.pictures, **alpha}

    def weight(self, role: str) -> dict[str, float]:
        """Return what a row says of a painting's weight: nothing where it is the only one."""
        if role not in STYLES or sum(one in self.pictures for one in STYLES) == 1:
            return {}
        return {"weight": self.weights.get(role, USUAL_WEIGHT)}
