"""Where the pictures of a job are stored, and storing what it was given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from app.imaging.normalise import Decoded
from app.infra.blobs import Blobs

INPUTS: tuple[Literal["content", "style"], ...] = ("content", "style")
# What a picture is called that is given alone.
ALONE = "picture"


def folder(job_id: str) -> str:
    return f"jobs/{job_id}"


def key(job_id: str, name: str) -> str:
    return f"{folder(job_id)}/{name}"


def input_name(role: str) -> str:
    return f"{role}.png"


def thumbnail_name(role: str) -> str:
    return f"{role}-small.jpg"


def preview_name(attempt: int, number: int) -> str:
    return f"preview-{attempt}-{number:04d}.jpg"


def result_name(attempt: int) -> str:
    return f"result-{attempt}.png"


def facts(name: str, picture: Decoded) -> dict[str, object]:
    """Return what a row says of one of its inputs."""
    return {"name": name, "width": picture.width, "height": picture.height, "sha256": hashlib.sha256(picture.png).hexdigest()}


@contextmanager
def stored(blobs: Blobs, job_id: str, given: Mapping[str, Decoded]) -> Iterator[None]:
    """Store a job's inputs for the block that commits its row; where that fails, nothing is left behind."""
    try:
        for role, picture in given.items():
            blobs.put(key(job_id, input_name(role)), picture.png)
            blobs.put(key(job_id, thumbnail_name(role)), picture.thumbnail_jpeg)
        yield
    except BaseException:
        blobs.delete_folder(folder(job_id))
        raise
