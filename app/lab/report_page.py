"""A report as one HTML page that needs nothing else: style and drawings inside, no script."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.core.report import Report
from app.lab.report_view import view

_ROOT = Path(__file__).resolve().parents[2]


def html(report: Report, *, title: str) -> str:
    """Return the whole page; the Lab's own page includes the same partials.

    Args:
        report: what to show.
        title: of the experiment, as its owner called it.
    """
    return render("report/page.html", title=title, report=view(report))


def render(template: str, **context: object) -> str:
    """Return a page that stands alone; its style comes with it."""
    return _environment().get_template(template).render(**context, style=_style())


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_ROOT / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@lru_cache(maxsize=1)
def _style() -> Markup:
    # Our own files, and no `<` in them that could end the element.
    sheets = [(_ROOT / "static" / "css" / name).read_text() for name in ("base.css", "report.css")]
    return Markup("\n".join(sheets))  # noqa: S704
