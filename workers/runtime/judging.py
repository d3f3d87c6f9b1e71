"""A verdict as a kind of job: pictures of a finished job, or one given alone, in; a report at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import NotFound
from app.core.verdicts import Role, Verdict, VerdictStep
from app.imaging import encode
from app.jobs import finishing, pictures, verdict_events
from app.jobs.models import VERDICT, Job
from app.jobs.verdict_events import VerdictEvent
from app.lab import detectors
from app.lab.models import Detector
from workers.runtime.frames import Frame
from workers.runtime.kind import Kind

ReadPixels = Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True)
class Case:
    """What is to be judged. Pictures are read one by one: uint8 RGB of shape (height, width, 3).

    Attributes:
        pictures: by role, to be judged with evidence.
        frames: of the run, in order, to be scored.
        detector: file of the detector that its owner chose; None for the shipped one.
    """

    pictures: tuple[tuple[Role, ReadPixels], ...]
    frames: tuple[tuple[Frame, ReadPixels], ...] = ()
    detector: bytes | None = None


class Judging(Kind[Case, VerdictStep, Verdict]):
    name = VERDICT
    too_large = "There is not enough memory to look at a picture of this size. Choose a smaller one."
    broken = "Something went wrong while looking at the picture. It has been logged; trying again may help."
    empty = "There was nothing to look at."

    def assignment(self) -> Case:
        return replace(self._pictures(), detector=self._detector())

    def live(self, progress: VerdictStep) -> verdict_events.Judging:
        return verdict_events.Judging(
            stage=progress.stage,
            percent=round(min(max(progress.fraction, 0.0), 1.0) * 100, 1),
            elapsed=round(progress.elapsed, 2),
            remaining=None if progress.remaining is None else round(progress.remaining, 1),
        )

    def snapshot(self, job: Job) -> VerdictEvent:
        return verdict_events.snapshot(job)

    def has_something(self, progress: VerdictStep) -> bool:
        """Half a verdict is none: it can be cancelled, not stopped."""
        return False

    def result(self, outcome: Verdict, *, cancelled: bool, stopped: bool) -> dict[str, Any] | None:
        return None if cancelled else {"report": outcome.model_dump(mode="json"), "facts": outcome.facts}

    def _reader(self, job: Job, name: str) -> ReadPixels:
        return lambda: encode.read_rgb(self.clients.blobs.get(pictures.stored_key(job, name)))

    def _detector(self) -> bytes | None:
        chosen = self._chosen()
        if chosen is None:
            return None
        try:
            return self.clients.blobs.get(chosen.key)
        except NotFound:
            if (still := self._chosen()) is not None and still.id == chosen.id:
                raise
            # Deleted a moment ago: from then on the shipped one judges.
            return None

    def _chosen(self) -> Detector | None:
        with self.clients.database.read() as session:
            return detectors.active(session, self.job.owner)

    def _pictures(self) -> Case:
        if self.job.parent is None:
            return Case((("picture", self._reader(self.job, pictures.input_name(pictures.ALONE))),))
        with self.clients.database.read() as session:
            painted = session.get(Job, self.job.parent)
        if painted is None or painted.result is None:
            raise NotFound("The picture that this verdict is about is gone.")
        inputs = tuple((role, self._reader(painted, pictures.input_name(role))) for role in ("content", *pictures.styles_of(painted)))
        # As its owner sees it, with the photograph's colours where they were asked for.
        result = partial(finishing.look_at, self.clients.blobs, painted)
        frames = [Frame(int(one["iteration"]), str(one["name"])) for one in painted.frames or []]
        readers = [self._reader(painted, frame.name) for frame in frames]
        # The run ends with the finished picture: its preview is smaller, and lossy.
        return Case((*inputs, ("result", result)), tuple(zip(frames, [*readers[:-1], result], strict=False)))
