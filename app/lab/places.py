"""Where the files of the Lab are stored."""

from __future__ import annotations

from app.jobs import pictures as job_pictures
from app.jobs.models import Job
from app.lab.arrivals import Piece
from app.lab.models import DatasetPicture

FEATURES = "features"


def folder(dataset_id: str) -> str:
    return f"datasets/{dataset_id}"


def incoming_folder(dataset_id: str) -> str:
    return f"{folder(dataset_id)}/incoming"


def archive_key(dataset_id: str) -> str:
    return f"{incoming_folder(dataset_id)}/archive.zip"


def incoming_key(dataset_id: str, number: int) -> str:
    return f"{incoming_folder(dataset_id)}/{number:05d}"


def picture_key(dataset_id: str, number: int) -> str:
    return f"{folder(dataset_id)}/{number:05d}.png"


def thumbnail_key(dataset_id: str, number: int) -> str:
    return f"{folder(dataset_id)}/{number:05d}-small.jpg"


def job_key(job: Job, piece: Piece) -> str:
    """Return where a finished job has what ``piece`` takes over."""
    return job_pictures.key(job.id, job_pictures.input_name(piece.role) if piece.role in job_pictures.INPUTS else str(job.result))


def key_of(picture: DatasetPicture, job: Job | None) -> str | None:
    """Return where the pixels lie, or None while there are none."""
    if picture.key is not None:
        return picture.key
    return None if job is None or job.result is None else job_pictures.key(job.id, job.result)


def preview_key(job: Job) -> str:
    """Return where a finished job has its small picture."""
    return job_pictures.key(job.id, str(job.preview))


def detector_key(detector_id: str) -> str:
    return f"detectors/{detector_id}.safetensors"
