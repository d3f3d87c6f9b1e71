"""A parameter as a control of a form, made from its specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

Kind = Literal["number", "choice", "several", "switch", "text"]


@dataclass(frozen=True)
class Option:
    """One parameter as a control.

    Attributes:
        value: what stands in it; of several choices ``chosen`` holds each, and a switch is on with "true".
        open_ends: whether ``minimum`` and ``maximum`` themselves are left out.
    """

    name: str
    title: str
    help: str
    kind: Kind
    value: str
    minimum: str | None = None
    maximum: str | None = None
    whole: bool = False
    open_ends: tuple[bool, bool] = (False, False)
    choices: tuple[tuple[str, str], ...] = ()
    chosen: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The name as an id, which style sheets and scripts can name without escapes."""
        return self.name.replace(".", "-")

    @property
    def said(self) -> str:
        """What stands in it, in the words of its choices."""
        words = dict(self.choices)
        if self.kind == "several":
            return ", ".join(words[one] for one in self.chosen)
        if self.kind == "switch":
            return "yes" if self.value else "no"
        return words.get(self.value, self.value) or "usual"

    @property
    def range(self) -> str:
        """What the control takes, in words; nothing where it says so itself."""
        if self.minimum is None or self.maximum is None:
            return ""
        above, below = self.open_ends
        return f"{'Above ' if above else ''}{self.minimum} to {'below ' if below else ''}{self.maximum}."


def from_spec(name: str, spec: FieldInfo, value: str, words: Mapping[str, str], chosen: tuple[str, ...] = ()) -> Option:
    """Return the control of a field.

    Args:
        words: what a choice is called where its value says too little.
    """
    title, text = spec.title or name, spec.description or ""
    kind = _plain(spec.annotation)
    if get_origin(kind) is Literal:
        return Option(name, title, text, "choice", value, choices=_choices(kind, words))
    if get_origin(kind) is tuple and get_origin(get_args(kind)[0]) is Literal:
        return Option(name, title, text, "several", value, choices=_choices(get_args(kind)[0], words), chosen=chosen)
    if kind is bool:
        return Option(name, title, text, "switch", value)
    if kind in (int, float):
        above, below = _bound(spec, "gt"), _bound(spec, "lt")
        ends = above is not None, below is not None
        return Option(name, title, text, "number", value, above or _bound(spec, "ge"), below or _bound(spec, "le"), kind is int, ends)
    return Option(name, title, text, "text", value)


def as_text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else ""
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(annotation: Any) -> Any:
    """Return a type without its ``| None``."""
    if get_origin(annotation) in (Union, UnionType):
        return next(one for one in get_args(annotation) if one is not NoneType)
    return annotation


def _choices(kind: Any, words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((choice, words.get(choice, choice)) for choice in get_args(kind))


def _bound(spec: FieldInfo, kind: str) -> str | None:
    bounds = (getattr(entry, kind, None) for entry in spec.metadata)
    return next((as_text(bound) for bound in bounds if bound is not None), None)
