"""Every route of the application, as the application itself tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import Route as PlainRoute

from tests.web.conftest import Studio

Route = tuple[str, str]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def found(studio: Studio) -> Iterator[Any]:
    """Yield every route, however deeply it is included."""
    pending = list(studio.app.routes)
    while pending:
        route = pending.pop()
        if isinstance(route, APIRoute | PlainRoute):
            yield route
        pending.extend(getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", []))


def routes(studio: Studio) -> list[Route]:
    """Return every route's method and path."""
    return sorted({(method, route.path) for route in found(studio) for method in route.methods or ()})


def placeholders(path: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(path) if name]


def filled(path: str, values: Mapping[str, str]) -> str:
    """Return the path with each placeholder's value."""
    for name in placeholders(path):
        path = path.replace(f"{{{name}}}", values[name])
    return path
