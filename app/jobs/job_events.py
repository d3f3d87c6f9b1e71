"""What is seen of a style transfer at one moment: losses, curve and pictures beside what every kind has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.progress import Progress
from app.imaging.receipt import MOST_NOTES, Change
from app.jobs.events import Event, Live, event_of
from app.jobs.models import Job

MAX_CURVE_POINTS = 160
# Somebody who plays with the sliders makes no receipt longer than a picture can carry.
MOST_CHANGES = 200


class LossValues(BaseModel):
    content: float
    style: float
    tv: float
    total: float


class CurvePoint(BaseModel):
    iteration: int
    scale: int
    content: float
    style: float


class Painting(Live):
    """The part of an event that the engine's progress decides."""

    stage: Literal["prepare", "adain", "refine", "finish"] | None = Field(None, description="What the engine is doing.")
    scale: int | None = Field(None, description="Longer side, in pixels, of the picture being worked on.")
    iteration: int = Field(0, description="Iterations finished, over all scales.")
    iterations: int = Field(0, description="Iterations planned, over all scales.")
    losses: LossValues | None = Field(None, description="Weighted terms of the objective.")
    curve: list[CurvePoint] = Field(default_factory=list, description="Losses so far, thinned evenly.")
    resumed_at: int | None = Field(None, description="Iteration that this attempt went on from; null where it began anew.")
    notes: list[str] = Field(default_factory=list, description="What went otherwise than planned, such as a scale that ended early.")
    changes: list[Change] = Field(default_factory=list, description="What was changed during the run.")


class JobEvent(Painting, Event):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0f3a6f0b8f6d4a1c9c1a5e2d7b4c8e90",
                "kind": "stylize",
                "state": "running",
                "stage": "refine",
                "scale": 256,
                "iteration": 24,
                "iterations": 85,
                "percent": 17.5,
                "losses": {"content": 1.9, "style": 4.2, "tv": 0.0, "total": 6.1},
                "elapsed": 9.4,
                "remaining": 38.0,
                "queue_position": None,
                "preview": "/api/jobs/0f3a6f0b8f6d4a1c9c1a5e2d7b4c8e90/pictures/preview-1-0009.jpg",
                "result": None,
                "stopped_early": False,
                "attempt": 1,
                "silent": False,
                "stopping": False,
                "error": None,
                "curve": [{"iteration": 1, "scale": 256, "content": 2.2, "style": 9.7}],
                "pausing": False,
                "resumed_at": None,
                "notes": [],
                "changes": [{"iteration": 12, "name": "strength", "before": 1.0, "after": 2.5}],
                "continued_from": None,
            }
        }
    )

    preview: str | None = Field(None, description="URL of the newest picture; changes with each new one.")
    result: str | None = Field(None, description="URL of the finished picture.")
    stopped_early: bool = False
    continued_from: str | None = Field(None, description="The job whose result this one began from.")


def snapshot(job: Job, queue_position: int | None = None, *, silent: bool = False) -> JobEvent:
    """Return the job as its row tells it."""
    return event_of(
        JobEvent,
        job,
        queue_position,
        silent=silent,
        preview=picture_url(job.id, job.preview) if job.preview else None,
        result=f"/api/jobs/{job.id}/result" if job.result else None,
        stopped_early=job.stopped_early,
        continued_from=job.continues,
    )


def picture_url(job_id: str, name: str) -> str:
    return f"/api/jobs/{job_id}/pictures/{name}"


class LiveRecorder:
    """Turns an engine's progress records into the live part of events, keeping the loss curve."""

    def __init__(self, told: Painting | None = None) -> None:
        """Begin, or go on after what was ``told`` of an earlier attempt."""
        self._resumed_at = told.iteration if told else None
        self._curve: list[CurvePoint] = list(told.curve) if told else []
        self._notes: list[str] = list(told.notes) if told else []
        self._changes: list[Change] = list(told.changes) if told else []
        self._best: tuple[int, LossValues] | None = None
        self._losses: LossValues | None = None
        self._every = self._curve[1].iteration - self._curve[0].iteration if len(self._curve) > 1 else 1
        self._seen = len(self._curve) * self._every

    @property
    def facts(self) -> dict[str, Any]:
        """What a receipt states of the run."""
        return {
            "notes": self._notes[-MOST_NOTES:],
            "changes": [change.model_dump() for change in self._changes],
            "resumed_at": self._resumed_at,
        }

    def changed(self, iteration: int, before: Mapping[str, float], after: Mapping[str, float]) -> None:
        """Note which settings differ from ``iteration`` on; losses before and after cannot be compared."""
        names = [name for name in after if name in before and after[name] != before[name]]
        if not names:
            return
        self._best = None
        for name in names:
            same = next((one for one in self._changes if (one.iteration, one.name) == (iteration, name)), None)
            first = same.before if same else before[name]
            self._changes = [one for one in self._changes if one is not same]
            if first != after[name]:
                self._changes.append(Change(iteration=iteration, name=name, before=first, after=after[name]))
        self._changes = self._changes[-MOST_CHANGES:]

    def record(self, progress: Progress) -> Painting:
        if progress.note:
            self._notes.append(progress.note)
        if progress.stage != "refine":
            self._losses = None
        if progress.losses is not None:
            losses = self._losses = LossValues(
                content=progress.losses.content, style=progress.losses.style, tv=progress.losses.tv, total=progress.losses.total
            )
            # An optimiser also tries steps that it takes back: the curve follows the best picture of each scale.
            if self._best is None or self._best[0] != progress.scale or losses.total <= self._best[1].total:
                self._best = progress.scale, losses
            best = self._best[1]
            self._add(CurvePoint(iteration=progress.iteration, scale=progress.scale, content=best.content, style=best.style))
        return Painting(
            stage=progress.stage,
            scale=progress.scale,
            iteration=progress.iteration,
            iterations=progress.iterations,
            percent=round(min(max(progress.fraction, 0.0), 1.0) * 100, 1),
            losses=self._losses,
            elapsed=round(progress.elapsed, 2),
            remaining=None if progress.remaining is None else round(progress.remaining, 1),
            curve=list(self._curve),
            resumed_at=self._resumed_at,
            notes=list(self._notes),
            changes=list(self._changes),
        )

    def _add(self, point: CurvePoint) -> None:
        """Keep every n-th point, doubling n whenever the curve grows too long to send often."""
        if self._seen % self._every == 0:
            self._curve.append(point)
        self._seen += 1
        if len(self._curve) > MAX_CURVE_POINTS:
            self._curve = self._curve[::2]
            self._every *= 2
