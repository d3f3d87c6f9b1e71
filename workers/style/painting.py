"""A style transfer together with what its receipt states about how it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.core.progress import OnProgress, Progress
from app.core.version import VERSION

if TYPE_CHECKING:
    from app.core.checkpoint import Checkpoint
    from app.core.commission import Commission
    from workers.style.descent import Steer
    from workers.style.engine import Engine
    from workers.style.resample import Picture


@dataclass(frozen=True)
class Painting:
    """A finished picture, float32 RGB (height, width, 3) in [0, 1], and the facts of its making."""

    picture: Picture
    facts: dict[str, Any] = field(default_factory=dict)


def paint(
    engine: Engine,
    commission: Commission,
    on_progress: OnProgress,
    *,
    resume: Checkpoint | None = None,
    steer: Steer | None = None,
) -> Painting:
    """Run ``engine`` and note what it is, iterations done and planned, and seconds. Arguments as for ``Engine.stylize``."""
    last: Progress | None = None

    def note(progress: Progress) -> None:
        nonlocal last
        last = progress
        on_progress(progress)

    picture = engine.stylize(commission, note, resume=resume, steer=steer)
    counts = {
        "version": VERSION,
        "iterations": last.iteration if last else 0,
        "planned": last.iterations if last else 0,
        "elapsed": round(last.elapsed, 3) if last else 0.0,
    }
    return Painting(picture, {**engine.facts(), **counts})
