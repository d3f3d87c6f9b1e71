"""A hypothesis report as one HTML page that needs nothing else."""

from __future__ import annotations

from app.core.hypothesis import HypothesisReport
from app.lab import report_page
from app.lab.hypothesis_view import view


def html(report: HypothesisReport, *, title: str) -> str:
    """Return the whole page; the Lab's own page includes the same partial, ``report/_hypothesis.html``.

    Args:
        report: what to show.
        title: of the study, as its owner called it.
    """
    return report_page.render("report/hypothesis.html", title=title, hypothesis=view(report))
