"""Turns the parameters of a style transfer into command-line options, so that they are stated once."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer
from pydantic.fields import FieldInfo

from app.core.specs import StyleParams


def with_style_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace ``command``'s ``**parameters`` by one option for each field of ``StyleParams``.

    An option that is not given reaches the command as None: the preset decides.
    """
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [_option(name, field) for name, field in StyleParams.model_fields.items()]
    command.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *options]}
    return command


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    kind, metavar = _kind(field)
    limits = _range(field)
    option = typer.Option(f"--{name.replace('_', '-')}", help=f"{field.description}{limits}", metavar=metavar, show_default=False)
    # Keyword-only: options follow the command's own, which may have defaults.
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])


def _kind(field: FieldInfo) -> tuple[Any, str]:
    if typing.get_origin(field.annotation) is Literal:
        return str, "|".join(typing.get_args(field.annotation))
    if typing.get_origin(field.annotation) is tuple:
        return str, "N,N,..."
    return field.annotation, "NUMBER"


def _range(field: FieldInfo) -> str:
    bounds = {key: getattr(limit, key) for limit in field.metadata for key in ("ge", "le") if hasattr(limit, key)}
    return f" {bounds['ge']} to {bounds['le']}." if len(bounds) == 2 else ""
