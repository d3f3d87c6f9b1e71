"""What is seen of a job at one moment, whatever its kind: always the whole of it."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, Field

from app.jobs.models import Job, State


class Live(BaseModel):
    """The part of an event that an engine's progress decides; a kind adds its own figures."""

    stage: str | None = Field(None, description="What is being done.")
    percent: float = Field(0.0, ge=0, le=100, description="Share of the whole work done, weighted by cost.")
    elapsed: float = Field(0.0, description="Seconds since the worker began.")
    remaining: float | None = Field(None, description="Estimated seconds left; null until measured.")


class Event(Live):
    """The part that every kind has."""

    id: str
    kind: str = Field(description="What is done: stylize, verdict or experiment.")
    state: State
    queue_position: int | None = Field(None, description="1 for the job that is claimed next; null unless queued.")
    attempt: int = Field(0, description="How many times a worker has begun; more than 1 after an interruption.")
    silent: bool = Field(
        False,
        description="The worker has missed its heartbeats. If it stays away, the job begins again by itself, a picture from its last checkpoint.",
    )
    stopping: bool = Field(False, description="Stop or cancel was asked for and is about to happen.")
    pausing: bool = Field(False, description="Pause was asked for and is about to happen.")
    error: str | None = Field(None, description="Why the job failed, in words.")


E = TypeVar("E", bound=Event)


def event_of(model: type[E], job: Job, queue_position: int | None = None, /, *, silent: bool = False, **more: Any) -> E:
    """Return the job as its row tells it.

    Args:
        model: the kind's event; figures of the row's progress that it does not know are left out.
        silent: its worker has missed heartbeats, so nobody knows how long it takes.
        more: fields that only this kind has.
    """
    told: dict[str, Any] = {
        **(job.progress or {}),
        "id": job.id,
        "kind": job.kind,
        "state": State(job.state),
        "queue_position": queue_position if job.state == State.QUEUED else None,
        "attempt": job.attempt or 0,
        "silent": silent,
        "stopping": not job.terminal and bool(job.stop_requested or job.cancel_requested),
        "pausing": job.state == State.RUNNING and bool(job.pause_requested),
        "error": job.error,
        **more,
    }
    if job.state == State.DONE:
        told |= {"percent": 100.0, "remaining": 0.0}
    if silent or job.state == State.PAUSED:
        told["remaining"] = None
    return model.model_validate(told)


def snapshot(job: Job, queue_position: int | None = None, *, silent: bool = False) -> Event:
    """Return what is common to all kinds."""
    return event_of(Event, job, queue_position, silent=silent)
