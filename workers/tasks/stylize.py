"""Style transfer as a task: one wake-up, at most one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core.commission import Commission
from app.core.progress import OnProgress
from workers.runtime.life import Runtime
from workers.runtime.stylizing import Outcome, Stylizing
from workers.style.painting import paint

if TYPE_CHECKING:
    from workers.style.engine import Engine


def run(runtime: Runtime, load: Callable[[], Engine]) -> bool:
    """Carry the fairest waiting job to its end. False: none was waiting."""

    def work(commission: Commission, on_progress: OnProgress) -> Outcome:
        painting = paint(load(), commission, on_progress)
        return Outcome(painting.picture, painting.facts)

    return runtime.run_one(Stylizing, work)
