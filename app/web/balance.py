"""The sliders by which a picture's balance is changed while it is being painted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from app.core.errors import ParameterError
from app.core.specs import StyleParams, bounds
from app.core.steering import STEERABLE
from app.jobs import pictures
from app.jobs.given import MOST_WEIGHT
from app.jobs.models import Job
from app.web.form import PAINTINGS, WEIGHTS

# A parameter's position is its power of two: so many steps double it or halve it.
_STEPS = 4
_LEAST = -4.0
# One step to the left of it: nothing at all, where a parameter may be that.
_OFF = _LEAST - 1 / _STEPS
# The parameters that are always in sight; the others are under a fold.
BALANCE = ("strength", "content_weight")
MORE = tuple(name for name in STEERABLE if name not in BALANCE)


@dataclass(frozen=True)
class Slider:
    """A weight that can be changed, and where its slider stands.

    Attributes:
        said: the weight in words; of a painting its share.
        thumbnail: of a painting.
    """

    name: str
    title: str
    help: str
    said: str
    position: float
    least: float
    most: float
    step: float
    thumbnail: str | None = None

    @property
    def off(self) -> bool:
        """Whether it is off at its left end."""
        return self.least == _OFF


def parameters(params: StyleParams, names: Sequence[str]) -> list[Slider]:
    return [_parameter(name, StyleParams.model_fields[name], getattr(params, name)) for name in names]


def paintings(job: Job) -> list[Slider]:
    """Return one slider for each of several paintings, in proportion to its weight."""
    weights = _weights(job)
    return [
        Slider(
            WEIGHTS[role],
            PAINTINGS[role],
            str(job.inputs[role]["name"]),
            f"{round(100 * weight / sum(weights.values()))} %",
            min(max(round(weight), 1), MOST_WEIGHT),
            1,
            MOST_WEIGHT,
            1,
            pictures.url(job, pictures.thumbnail_name(role)),
        )
        for role, weight in weights.items()
    ]


def read(fields: Mapping[str, str], job: Job) -> dict[str, Any]:
    """Return what is wanted of ``job``: the weights whose sliders do not stand where they were drawn.

    Raises:
        ParameterError: a position that is no number between the ends.
    """
    wanted: dict[str, Any] = {}
    for slider in parameters(StyleParams.model_validate(job.params), STEERABLE):
        if (position := _moved(slider, fields)) is not None:
            wanted[slider.name] = 0.0 if position == _OFF else round(2.0**position, 3)
    moved = [_moved(slider, fields) for slider in paintings(job)]
    if any(position is not None for position in moved):
        wanted["weights"] = moved
    return wanted


def _parameter(name: str, spec: FieldInfo, value: float) -> Slider:
    least, most = bounds(name)
    top = math.floor(math.log2(most) * _STEPS) / _STEPS
    position = min(max(round(math.log2(value) * _STEPS) / _STEPS, _LEAST), top) if value else _OFF
    said = f"{value:.3g}" if value else "off"
    return Slider(name, spec.title or name, spec.description or "", said, position, _LEAST if least else _OFF, top, 1 / _STEPS)


def _weights(job: Job) -> dict[str, float]:
    """Return the weights of several paintings by role; of a single one there is none."""
    roles = pictures.styles_of(job)
    return {role: float(job.inputs[role]["weight"]) for role in roles} if len(roles) > 1 else {}


def _moved(slider: Slider, fields: Mapping[str, str]) -> float | None:
    """Return where a slider was moved to; None where it stands as it was drawn, whatever its weight is by now."""
    given, drawn = (fields.get(name) for name in (slider.name, f"{slider.name}_was"))
    if not given:
        return None
    position = _position(slider, given)
    return None if drawn and _position(slider, drawn) == position else position


def _position(slider: Slider, given: str) -> float:
    try:
        position = float(given)
    except ValueError:
        position = math.nan
    if not slider.least <= position <= slider.most:
        raise ParameterError(
            f"{slider.title}: give a position from {slider.least:g} to {slider.most:g}. Received: {given!r}.", field=slider.name
        )
    return position
