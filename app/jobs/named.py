"""Which files in a job's folder its row names: all others are leftovers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.jobs import pictures
from app.jobs.checkpoints import START
from app.jobs.models import EXPERIMENT, Job


def named(job: Job) -> set[str]:
    """Return the name of every file in the job's folder that its row names, stored or not."""
    names = {*_given(job), *_frames(job.frames), *_left(job.checkpoint or {}), *_reported(job.report or {})}
    names |= {name for name in (job.preview, job.result) if name is not None}
    return names | {START} if job.continues else names


def _given(job: Job) -> Iterator[str]:
    """Yield what it was given. What has a key lies elsewhere, in a dataset."""
    if job.kind == EXPERIMENT:
        roles = [one["role"] for part in job.inputs.get("styles", {}).values() for one in part]
        facts: dict[str, dict[str, Any]] = {role: {} for role in roles}
    else:
        facts = job.inputs
    for role, said in facts.items():
        if not said.get("key"):
            yield pictures.input_name(role)
        if not said.get("thumbnail"):
            yield pictures.thumbnail_name(role)


def _frames(frames: list[dict[str, Any]] | None) -> Iterator[str]:
    return (str(frame["name"]) for frame in frames or [])


def _left(checkpoint: dict[str, Any]) -> Iterator[str]:
    """Yield what the next attempt goes on from, also where only another version understands it."""
    yield from (str(checkpoint[name]) for name in ("name", "result") if checkpoint.get(name))
    yield from _frames(checkpoint.get("frames"))


def _reported(report: dict[str, Any]) -> Iterator[str]:
    return (report[name] for name in ("file", "detector") if isinstance(report.get(name), str))
