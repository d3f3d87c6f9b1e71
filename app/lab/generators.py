"""The ways in which a dataset's pictures are stylised, each with a name by which splits hold it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import ParameterError, ParameterErrors
from app.core.specs import PRESETS, StyleParams, resolve

MOST = 20


class Generator(BaseModel):
    """One way of stylising."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Unique in its dataset.")
    preset: str
    params: StyleParams


def generators(presets: Sequence[str], strengths: Sequence[float], changes: dict[str, Any]) -> tuple[Generator, ...]:
    """Return one generator for each preset and each strength, with ``changes`` to all of them.

    A preset without iterations has no strength and is taken once.

    Raises:
        ParameterErrors: an unknown preset, a value out of range, or too many generators.
    """
    found: dict[str, Generator] = {}
    for preset in presets:
        plain = resolve(preset, changes)
        for strength in strengths if strengths and sum(plain.iterations) else (None,):
            params = plain if strength is None else resolve(preset, {**changes, "strength": strength})
            name = preset if strength is None else f"{preset} strength {strength:g}"
            found[name] = Generator(name=name, preset=preset, params=params)
    if len(found) > MOST:
        raise ParameterErrors([ParameterError(f"A dataset has at most {MOST} generators. Received: {len(found)}.", field="preset")])
    return tuple(found.values())


def name_of(preset: str, params: StyleParams) -> str:
    """Return what the generator of a finished picture is called: its preset and what differs from it."""
    usual = PRESETS[preset].params.model_dump() if preset in PRESETS else {}
    changed = [
        f"{name} {_text(value)}" for name, value in params.model_dump().items() if name != "seed" and value != usual.get(name, value)
    ]
    return ", ".join([preset, *changed])[:120]


def read_strengths(text: str) -> tuple[float, ...]:
    """Return the numbers between commas.

    Raises:
        ParameterError: something else.
    """
    try:
        return tuple(dict.fromkeys(float(part) for part in text.split(",") if part.strip()))
    except ValueError as error:
        raise ParameterError(
            f"Strengths: give numbers with commas between them, such as 0.5, 2. Received: {text!r}.", field="strengths"
        ) from error


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "-".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
