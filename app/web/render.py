"""Templates to text: one environment, its filters, and what every page knows."""

from __future__ import annotations

import math
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.web.detector_words import shipped
from app.web.form import MORE_PAINTINGS, REGIONS, ROLES, presets
from app.web.judgement_view import TITLES, percent

# Whether whoever asks has signed in with a password, and can sign out; of the request that is being answered.
SIGNED_IN: ContextVar[bool] = ContextVar("signed_in", default=False)

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"


def _duration(seconds: float | None) -> str:
    """Return seconds in words: "8 s", "1 min 20 s", "2 h 5 min"."""
    if seconds is None:
        return "estimating…"
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _figure(value: float) -> str:
    """Return a loss with three significant digits."""
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.1e}"


def _day(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y, %H:%M} UTC".lstrip("0")


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


@lru_cache(maxsize=1)
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(duration=_duration, figure=_figure, day=_day, iso=_iso, code=_code, percent=percent)
    made.globals.update(signed_in=SIGNED_IN.get)
    made.globals.update(roles=ROLES, more_paintings=MORE_PAINTINGS, regions=REGIONS, titles=TITLES, presets=presets(), detector=shipped)
    return made


def _code(text: str) -> Markup:
    """Return text with what stands between backticks marked as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts))


def render(template: str, **context: Any) -> str:
    return environment().get_template(template).render(**context)


def page(template: str, status_code: int = 200, **context: Any) -> HTMLResponse:
    return HTMLResponse(render(template, **context), status_code)
