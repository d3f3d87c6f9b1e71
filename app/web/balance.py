"""The sliders by which a picture's balance is changed while it is being painted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.errors import ParameterError
from app.core.specs import StyleParams

# Steps by which a weight is doubled or halved.
_STEPS = 4
# Powers of two at the ends of a slider.
LEAST, MOST = -4.0, 4.0
BALANCE = ("strength", "content_weight")


@dataclass(frozen=True)
class Slider:
    """A weight on a logarithmic scale: ``position`` is its power of two."""

    name: str
    title: str
    help: str
    value: float

    @property
    def position(self) -> float:
        power = math.log2(self.value) if self.value > 0 else LEAST
        return min(max(round(power * _STEPS) / _STEPS, LEAST), MOST)

    @property
    def said(self) -> str:
        return f"{self.value:.3g}"


def sliders(params: StyleParams) -> list[Slider]:
    fields = StyleParams.model_fields
    return [Slider(name, fields[name].title or name, fields[name].description or "", getattr(params, name)) for name in BALANCE]


def read(fields: Mapping[str, str], params: StyleParams) -> dict[str, float]:
    """Return the weights whose sliders were moved away from where ``params`` put them.

    Raises:
        ParameterError: a position that is no number between the ends.
    """
    moved = {}
    for slider in sliders(params):
        given = fields.get(slider.name, "")
        try:
            position = float(given) if given else slider.position
        except ValueError:
            position = math.nan
        if not LEAST <= position <= MOST:
            raise ParameterError(f"{slider.title}: give a position from {LEAST:g} to {MOST:g}. Received: {given!r}.", field=slider.name)
        if position != slider.position:
            moved[slider.name] = round(2.0**position, 3)
    return moved
