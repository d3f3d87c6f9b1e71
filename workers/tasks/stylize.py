"""Style transfer as a task: one wake-up, at most one job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.progress import OnProgress
from app.jobs.models import STYLIZE
from workers.runtime import Assignment, Outcome, Runtime
from workers.style.painting import paint

if TYPE_CHECKING:
    from workers.style.engine import Engine


def run(runtime: Runtime, engine: Engine) -> bool:
    """Carry the fairest waiting job to its end. False: none was waiting."""

    def work(assignment: Assignment, on_progress: OnProgress) -> Outcome:
        painting = paint(engine, assignment.content, assignment.style, assignment.params, on_progress)
        return Outcome(painting.picture, painting.facts)

    return runtime.run_one(STYLIZE, work)
