"""Style transfer as a task: one wake-up, at most one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core.progress import OnProgress
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Sitting, Stylizing
from workers.style.painting import paint

if TYPE_CHECKING:
    from workers.style.engine import Engine


def run(runtime: Runtime, load: Callable[[], Engine]) -> bool:
    """Carry the fairest waiting job to its end. False: none was waiting."""

    def work(sitting: Sitting, on_progress: OnProgress) -> Outcome:
        painting = paint(load(), sitting.commission, on_progress, resume=sitting.resume, steer=sitting.steer)
        return Outcome(painting.picture, painting.facts)

    return runtime.run_one(Stylizing, work)
