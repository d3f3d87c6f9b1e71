"""What is seen of a verdict at one moment."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from app.core.verdicts import VerdictStage
from app.jobs.events import Event, Live, event_of
from app.jobs.models import Job


class Judging(Live):
    """The part of an event that the detector's progress decides."""

    stage: VerdictStage | None = Field(None, description="Loading the detector, looking at the pictures, or at the frames of the run.")


class VerdictEvent(Judging, Event):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "stage": "judge",
                "percent": 33.3,
                "elapsed": 0.4,
                "remaining": 0.8,
                "id": "5b1d9e7c3a2f4860b1c9d7e5f3a2b4c6",
                "kind": "verdict",
                "state": "running",
                "queue_position": None,
                "attempt": 1,
                "silent": False,
                "stopping": False,
                "pausing": False,
                "error": None,
                "job": "0f3a6f0b8f6d4a1c9c1a5e2d7b4c8e90",
            }
        }
    )

    job: str | None = Field(None, description="The job whose pictures it is about; null for a picture given alone.")


def snapshot(job: Job, queue_position: int | None = None, *, silent: bool = False) -> VerdictEvent:
    """Return the verdict as its row tells it."""
    return event_of(VerdictEvent, job, queue_position, silent=silent, job=job.parent)
