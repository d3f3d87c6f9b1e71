"""What a page or a program sees of a job at one moment: always the whole of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.progress import Progress
from app.jobs.models import Job, State

MAX_CURVE_POINTS = 160


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


class Live(BaseModel):
    """The part of an event that an engine's progress decides."""

    stage: Literal["prepare", "adain", "refine", "finish"] | None = Field(None, description="What the engine is doing.")
    scale: int | None = Field(None, description="Longer side, in pixels, of the picture being worked on.")
    iteration: int = Field(0, description="Iterations finished, over all scales.")
    iterations: int = Field(0, description="Iterations planned, over all scales.")
    percent: float = Field(0.0, ge=0, le=100, description="Share of the whole work done, weighted by cost.")
    losses: LossValues | None = Field(None, description="Weighted terms of the objective.")
    elapsed: float = Field(0.0, description="Seconds since the worker began.")
    remaining: float | None = Field(None, description="Estimated seconds left; null until measured.")
    curve: list[CurvePoint] = Field(default_factory=list, description="Losses so far, thinned evenly.")


class JobEvent(Live):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0f3a6f0b8f6d4a1c9c1a5e2d7b4c8e90",
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
            }
        }
    )

    id: str
    state: State
    queue_position: int | None = Field(None, description="1 for the job that is claimed next; null unless queued.")
    preview: str | None = Field(None, description="URL of the newest picture; changes with each new one.")
    result: str | None = Field(None, description="URL of the finished picture.")
    stopped_early: bool = False
    attempt: int = Field(0, description="How many times a worker has begun; more than 1 after an interruption.")
    silent: bool = Field(False, description="The worker has missed its heartbeats. If it stays away, the job begins again by itself.")
    stopping: bool = Field(False, description="Stop or cancel was asked for and is about to happen.")
    error: str | None = Field(None, description="Why the job failed, in words.")


def snapshot(job: Job, queue_position: int | None = None, *, silent: bool = False) -> JobEvent:
    """Return the job as its row tells it.

    Args:
        silent: its worker has missed heartbeats, so nobody knows how long it takes.
    """
    live = Live.model_validate(job.progress or {})
    if job.state == State.DONE:
        live = live.model_copy(update={"percent": 100.0, "remaining": 0.0})
    if silent:
        live = live.model_copy(update={"remaining": None})
    return JobEvent(
        **live.model_dump(),
        id=job.id,
        state=State(job.state),
        queue_position=queue_position if job.state == State.QUEUED else None,
        preview=picture_url(job.id, job.preview) if job.preview else None,
        result=f"/api/jobs/{job.id}/result" if job.result else None,
        stopped_early=job.stopped_early,
        attempt=job.attempt or 0,
        silent=silent,
        stopping=not job.terminal and (job.stop_requested or job.cancel_requested),
        error=job.error,
    )


def picture_url(job_id: str, name: str) -> str:
    return f"/api/jobs/{job_id}/pictures/{name}"


class LiveRecorder:
    """Turns an engine's progress records into the live part of events, keeping the loss curve."""

    def __init__(self) -> None:
        self._curve: list[CurvePoint] = []
        self._best: tuple[int, LossValues] | None = None
        self._every = 1
        self._seen = 0

    def record(self, progress: Progress) -> Live:
        losses = None
        if progress.losses is not None:
            losses = LossValues(
                content=progress.losses.content, style=progress.losses.style, tv=progress.losses.tv, total=progress.losses.total
            )
            # An optimiser also tries steps that it takes back: the curve follows the best picture of each scale.
            if self._best is None or self._best[0] != progress.scale or losses.total <= self._best[1].total:
                self._best = progress.scale, losses
            best = self._best[1]
            self._add(CurvePoint(iteration=progress.iteration, scale=progress.scale, content=best.content, style=best.style))
        return Live(
            stage=progress.stage,
            scale=progress.scale,
            iteration=progress.iteration,
            iterations=progress.iterations,
            percent=round(min(max(progress.fraction, 0.0), 1.0) * 100, 1),
            losses=losses,
            elapsed=round(progress.elapsed, 2),
            remaining=None if progress.remaining is None else round(progress.remaining, 1),
            curve=list(self._curve),
        )

    def _add(self, point: CurvePoint) -> None:
        """Keep every n-th point, doubling n whenever the curve grows too long to send often."""
        if self._seen % self._every == 0:
            self._curve.append(point)
        self._seen += 1
        if len(self._curve) > MAX_CURVE_POINTS:
            self._curve = self._curve[::2]
            self._every *= 2
