"""How long a stylised picture takes here, by what was measured, so that estimates are honest."""

from __future__ import annotations

from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.models import STYLIZE, Job, State

_NEWEST = 300


def seconds_a_picture(session: Session) -> dict[tuple[str, int], float]:
    """Return the median seconds of the newest finished pictures by (preset, longer side); nothing of what was never made here."""
    query = (
        select(Job.preset, Job.params, Job.started_at, Job.finished_at)
        .where(Job.kind == STYLIZE, Job.state == State.DONE, Job.stopped_early.is_(False), Job.started_at.is_not(None))
        .order_by(Job.finished_at.desc())
        .limit(_NEWEST)
    )
    found: dict[tuple[str, int], list[float]] = {}
    for preset, params, started, finished in session.execute(query):
        found.setdefault((preset, int(params["size"])), []).append(finished - started)
    return {key: round(median(seconds), 2) for key, seconds in found.items()}
