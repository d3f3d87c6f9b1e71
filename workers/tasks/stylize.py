"""Style transfer as a task: one wake-up, at most one job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.progress import OnProgress, Progress
from app.jobs.models import STYLIZE
from workers.runtime import Assignment, Outcome, Runtime

if TYPE_CHECKING:
    from workers.style.engine import Engine


def run(runtime: Runtime, engine: Engine) -> bool:
    """Carry the fairest waiting job to its end. False: none was waiting."""

    def paint(assignment: Assignment, on_progress: OnProgress) -> Outcome:
        iterations = 0

        def count(progress: Progress) -> None:
            nonlocal iterations
            iterations = progress.iteration
            on_progress(progress)

        picture = engine.stylize(assignment.content, assignment.style, assignment.params, count)
        return Outcome(picture, {**engine.facts(), "iterations": iterations})

    return runtime.run_one(STYLIZE, paint)
