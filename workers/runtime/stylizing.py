"""Style transfer as a kind of job: two pictures and parameters in, previews on the way, a picture at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.core.commission import Commission
from app.core.progress import Progress
from app.core.specs import StyleParams
from app.imaging import encode
from app.infra.clients import Clients
from app.jobs import job_events, pictures, repository
from app.jobs.job_events import JobEvent, LiveRecorder, Painting
from app.jobs.models import STYLIZE, Job
from workers.runtime.frames import Frame, Frames
from workers.runtime.kind import Kind

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Outcome:
    """What an engine gives back; ``facts`` go into the receipt."""

    picture: Pixels
    facts: dict[str, Any] = field(default_factory=dict)


Paint = Callable[[Commission, Callable[[Progress], None]], Outcome]


class Stylizing(Kind[Commission, Progress, Outcome]):
    name = STYLIZE
    too_large = "There is not enough memory for this size. Choose a smaller one."
    broken = "Something went wrong inside the painter. It has been logged; trying again may help."
    empty = "The painter stopped before there was a picture."

    def __init__(self, clients: Clients, job: Job) -> None:
        super().__init__(clients, job)
        self._recorder = LiveRecorder()
        self._frames = Frames()
        self._last_preview = float("-inf")
        self._has_ended = False

    def assignment(self) -> Commission:
        content, style = (
            encode.read_rgb(self.clients.blobs.get(pictures.stored_key(self.job, pictures.input_name(role)))) for role in pictures.INPUTS
        )
        return Commission.of(content, style, StyleParams.model_validate(self.job.params))

    def live(self, progress: Progress) -> Painting:
        return self._recorder.record(progress)

    def snapshot(self, job: Job) -> JobEvent:
        return job_events.snapshot(job)

    def keep(self, progress: Progress) -> dict[str, Any]:
        """Store a preview when one is due. Numbers go on, so that URLs never repeat."""
        moment = time.monotonic()
        due = moment - self._last_preview >= self.clients.settings.preview_seconds or progress.stage == "finish"
        if progress.preview is None or not (due or not self._frames.count):
            return {}
        self._last_preview = moment
        name = pictures.preview_name(self.job.attempt, self._frames.count + 1)
        self.clients.blobs.put(self._key(name), encode.preview(progress.preview))
        self._delete(self._frames.add(Frame(progress.iteration, name)))
        return {"preview": name}

    def has_something(self, progress: Progress) -> bool:
        return progress.preview is not None

    def is_finishing(self, progress: Progress) -> bool:
        return progress.stage == "finish"

    def result(self, outcome: Outcome, *, cancelled: bool, stopped: bool) -> dict[str, Any] | None:
        if cancelled and not self._frames.count:
            return None
        name = pictures.result_name(self.job.attempt)
        self.clients.blobs.put(self._key(name), encode.png(outcome.picture))
        run = [asdict(frame) for frame in self._frames.run] if self._keeps_run else []
        return {"result": name, "facts": outcome.facts, "frames": run, "stopped_early": stopped}

    def follow_up(self, session: Session, job: Job) -> Job | None:
        """A finished picture gets its verdict, but not one of a dataset, nor one that its owner has thrown away."""
        self._has_ended = job.result is not None
        if job.result is None or job.parent is not None or job.deleted_at is not None:
            return None
        verdict, queued = repository.ensure_verdict(session, job)
        return verdict if queued else None

    def close(self) -> None:
        run = self._frames.run
        kept = run if self._has_ended and self._keeps_run else run[-1:]
        self._delete(self._frames.names - {frame.name for frame in kept})

    @property
    def _keeps_run(self) -> bool:
        """Of a dataset's pictures there may be thousands, and nobody scrubs through their making."""
        return self.job.parent is None

    def _key(self, name: str) -> str:
        return pictures.key(self.job.id, name)

    def _delete(self, names: set[str]) -> None:
        for name in names:
            self.clients.blobs.delete(self._key(name))
