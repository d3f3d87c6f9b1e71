"""Where the pictures of a job are stored, and storing what it was given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from app.imaging.normalise import Decoded
from app.infra.blobs import Blobs
from app.jobs.models import STYLIZE, VERDICT, Job

INPUTS: tuple[Literal["content", "style"], ...] = ("content", "style")
# The paintings, in the order of the form; the first is always there.
STYLES = ("style", "style2", "style3", "style4")
# Where the photograph stays as it is, and how opaque it was, where it was not everywhere.
PROTECT, ALPHA = "protect", "content-alpha"
# What a picture is called that is given alone.
ALONE = "picture"
_PLACES = {STYLIZE: "jobs", VERDICT: "verdicts"}


def folder(job_id: str) -> str:
    return f"jobs/{job_id}"


def key(job_id: str, name: str) -> str:
    return f"{folder(job_id)}/{name}"


def url(job: Job, name: str) -> str:
    """Return the address of a stored picture of ``job``."""
    return f"/api/{_PLACES[job.kind]}/{job.id}/pictures/{name}"


def input_name(role: str) -> str:
    return f"{role}.png"


def thumbnail_name(role: str) -> str:
    return f"{role}-small.jpg"


def mask_of(style: str) -> str:
    """Return the role of the picture that says where a painting rules."""
    return f"{style}-mask"


def part_of(style: str) -> str:
    """Return the role of the picture that says which part of a painting is taken."""
    return f"{style}-part"


def is_region(role: str) -> bool:
    """Tell whether a picture says where something goes, or is taken from."""
    return role == PROTECT or painting_of(role) is not None


def painting_of(role: str) -> str | None:
    """Return the role of the painting that a region belongs to; None of any other picture."""
    return next((style for style in STYLES if role in (mask_of(style), part_of(style))), None)


def styles_of(job: Job) -> list[str]:
    """Return the roles of the job's paintings."""
    return [role for role in STYLES if role in job.inputs]


def given(job: Job) -> list[str]:
    """Return the roles of everything the job was given, each painting followed by its regions."""
    wanted = ["content", *(role for style in STYLES for role in (style, mask_of(style), part_of(style))), PROTECT]
    return [role for role in wanted if role in job.inputs]


def stored_key(job: Job, name: str) -> str:
    """Return where a picture of the job lies: what it was given may lie in a dataset that it is one of."""
    role = name.partition(".")[0].removesuffix("-small")
    own = job.inputs.get(role, {})
    given = {input_name(role): own.get("key"), thumbnail_name(role): own.get("thumbnail")}
    return given.get(name) or key(job.id, name)


def preview_name(attempt: int, number: int) -> str:
    return f"preview-{attempt}-{number:04d}.jpg"


def result_name(attempt: int) -> str:
    return f"result-{attempt}.png"


def facts(name: str, picture: Decoded) -> dict[str, object]:
    """Return what a row says of one of its inputs."""
    return {"name": name, "width": picture.width, "height": picture.height, "sha256": hashlib.sha256(picture.png).hexdigest()}


@contextmanager
def stored(blobs: Blobs, job_id: str, pictures: Iterable[tuple[str, Decoded]]) -> Iterator[None]:
    """Store a job's inputs, by role, for the block that commits its row; where that fails, nothing is left behind."""
    try:
        for role, picture in pictures:
            blobs.put(key(job_id, input_name(role)), picture.png)
            blobs.put(key(job_id, thumbnail_name(role)), picture.thumbnail_jpeg)
        yield
    except BaseException:
        blobs.delete_folder(folder(job_id))
        raise
