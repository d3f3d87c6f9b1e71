"""What is sent for a dataset, and how each piece is noted until it is unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Literal, Self

from pydantic import BaseModel, ConfigDict

from app.core.errors import InputError
from app.jobs.models import Job
from app.lab.archives import Archive, ArchiveLimits, Skipped
from app.lab.folders import Role, check_classes, classes, contents_and_styles
from app.lab.generators import Generator
from app.lab.models import LABELLED, STYLISED

Kind = Literal["stylised", "labelled"]


class Piece(BaseModel):
    """One picture on its way in.

    ``number`` counts members of the archive, or files that came one by one; ``job`` names the job
    whose input (by ``role``) or result (``stylised``) is copied.
    """

    model_config = ConfigDict(frozen=True)

    source: Literal["archive", "file", "job"]
    role: Role
    name: str
    number: int = 0
    klass: str = ""
    domain: str = ""
    job: str = ""


@dataclass(frozen=True)
class Sent:
    """One file that came by itself."""

    role: Role
    name: str
    file: IO[bytes]


@dataclass(frozen=True)
class Order:
    """A dataset as it was asked for. ``jobs`` are finished ones whose pictures are taken over."""

    kind: Kind
    name: str
    generators: tuple[Generator, ...] = ()
    files: Sequence[Sent] = ()
    archive: IO[bytes] | None = None
    jobs: Sequence[Job] = ()


@dataclass(frozen=True)
class Plan:
    """What has to be unpacked, and how many pictures come of it in the end."""

    pieces: tuple[Piece, ...]
    skipped: tuple[Skipped, ...] = field(default=())
    pictures: int = 0

    @classmethod
    def of(cls, order: Order, limits: ArchiveLimits) -> Self:
        """Look through what was sent, without unpacking it.

        Raises:
            InputError: nothing was sent, an archive that cannot be used, or more than a dataset may hold.
        """
        pieces = [Piece(source="file", role=sent.role, name=sent.name, number=number) for number, sent in enumerate(order.files, start=1)]
        skipped: list[Skipped] = []
        if order.archive is not None:
            inside, left_out = _look_through(order.archive, order.kind, limits)
            pieces += inside
            skipped += left_out
        for job in order.jobs:
            taken: tuple[Role, ...] = ("content", "style", "stylised")
            pieces += [Piece(source="job", role=role, name=_name(job, role), job=job.id) for role in taken]
        if not pieces:
            raise InputError("Choose some pictures: files, a zip file, samples or finished jobs.", field="archive")
        if order.kind == LABELLED and any(piece.role != "picture" for piece in pieces):
            raise InputError("A labelled dataset is made from one zip file of folders class/ or domain/class/.", field="archive")
        pictures = len(pieces) + (_combinations(pieces) * len(order.generators) if order.kind == STYLISED else 0)
        if pictures > limits.members:
            raise InputError(
                f"A dataset has at most {limits.members} pictures, stylised ones included. Received: {pictures}.", field="archive"
            )
        return cls(tuple(pieces), tuple(skipped), pictures)


def _look_through(file: IO[bytes], kind: Kind, limits: ArchiveLimits) -> tuple[list[Piece], list[Skipped]]:
    with Archive(file, limits) as archive:
        survey = archive.survey()
    places, left_out = (classes if kind == LABELLED else contents_and_styles)(survey.members)
    if kind == LABELLED:
        check_classes({place.klass for place in places}, field="archive")
    pieces = [
        Piece(source="archive", role=place.role, name=place.name, number=place.number, klass=place.klass, domain=place.domain)
        for place in places
    ]
    return pieces, [*survey.skipped, *left_out]


def _combinations(pieces: Sequence[Piece]) -> int:
    contents, styles = (sum(piece.role == role for piece in pieces) for role in ("content", "style"))
    return contents * styles


def _name(job: Job, role: str) -> str:
    if role in job.inputs:
        return str(job.inputs[role]["name"])
    return f"{job.inputs['content']['name']} × {job.inputs['style']['name']}"
