"""What an attempt at a picture leaves for the next one, as the row names it, and its files."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from app.imaging.receipt import MOST_NOTES
from app.infra.blobs import Blobs
from app.jobs import pictures
from app.jobs.job_events import Painting
from app.jobs.models import Job, State

# The picture that a continued job began from.
START = "start.png"


class Left(BaseModel):
    """The row's column ``checkpoint``.

    Attributes:
        name: of the file that holds the engine's state.
        live: what was told of the step it is of.
        frames: pictures kept of the run until then: [{"iteration", "name"}].
        result, facts: of a job that was paused, its best picture then and what its receipt
            states, so that it can end without a worker, or after one that failed.
        held_at: the iteration that this picture is of; of an earlier version's nothing is known.
        held_live: what was told of it; likewise.
        ending: why the next attempt only ends the job with this state, empty where its owner called it off; else None.
    """

    name: str
    live: Painting
    frames: list[dict[str, Any]]
    result: str | None = None
    facts: dict[str, Any] | None = None
    held_at: int | None = None
    held_live: Painting | None = None
    ending: str | None = None


def left_of(job: Job) -> Left | None:
    """Return what was left; None where there is nothing, or nothing that this version understands."""
    try:
        return Left.model_validate(job.checkpoint) if job.checkpoint else None
    except ValidationError:
        return None


def held_of(left: Left | None, reason: str = "") -> tuple[Painting, dict[str, Any]] | None:
    """Return figures and the row's columns of the picture that is held; None where there is none.

    Args:
        reason: why it is the last one, noted in both.
    """
    if left is None or left.result is None or left.facts is None:
        return None
    facts = {**left.facts, "notes": noted(left.facts.get("notes", []), left.ending, reason)}
    frames = [frame for frame in left.frames if left.held_at is None or frame["iteration"] <= left.held_at]
    return explained(left.held_live or left.live, left.ending, reason), {"result": left.result, "facts": facts, "frames": frames}


def is_ahead(left: Left | None) -> bool:
    """Tell whether more was painted than the picture that is held shows, so that it takes a worker to end with it."""
    if left is None or (left.result is not None and left.held_at is None):
        return False
    return left.live.iteration > (left.held_at or 0)


def to_end(job: Job, left: Left | None, reason: str) -> tuple[Painting, dict[str, Any]] | None:
    """Return figures and the row's columns with which one more attempt ends a job that failed with what is stored.

    None where that was tried, where it shows no more than what is held, and for a dataset's picture, which is whole or not at all.

    Args:
        reason: why it gets no further, which that attempt tells; empty where there is nothing to be told.
    """
    if left is None or left.ending is not None or not is_ahead(left) or job.parent is not None:
        return None
    live = explained(left.live, reason)
    told = left.model_copy(update={"live": live, "ending": reason})
    columns = {"checkpoint": told.model_dump(mode="json"), "state": State.QUEUED, "stop_requested": True, "pause_requested": False}
    return live, columns


def take_held(job: Job, reason: str = "") -> bool:
    """Give a job that no worker has the picture that is held, as its last. False: there is none."""
    held = held_of(left_of(job), reason)
    if held is None:
        return False
    live, columns = held
    job.result, job.facts, job.frames = columns["result"], columns["facts"], columns["frames"]
    job.progress, job.checkpoint = live.model_dump(mode="json"), None
    return True


def explained(live: Painting, *reasons: str | None) -> Painting:
    """Return the figures with the reasons among their notes."""
    return live.model_copy(update={"notes": noted(live.notes, *reasons)})


def noted(notes: list[str], *reasons: str | None) -> list[str]:
    """Return the notes with the reasons why a picture is the last one, those that there are to be told, and each once."""
    lines = [f"It did not get further: {reason.removesuffix('.')}" for reason in reasons if reason]
    return list(dict.fromkeys([*notes, *lines]))[-MOST_NOTES:]


def name(attempt: int, number: int) -> str:
    """Return one of an attempt's two names: the one is written while the row names the other."""
    return f"checkpoint-{attempt}-{number % 2}.safetensors"


def forget(blobs: Blobs, job: Job) -> None:
    """Remove what is of no use once a job has ended: states, and pictures of pauses."""
    for attempt in range(1, job.attempt + 1):
        names = {name(attempt, 0), name(attempt, 1), pictures.result_name(attempt)} - {job.result}
        for one in names:
            blobs.delete(pictures.key(job.id, one))
