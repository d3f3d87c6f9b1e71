"""What each picture of a dataset is and how it was made, one line a picture; and all of it as a zip file."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import NotFound
from app.infra.blobs import Blobs
from app.jobs.models import Job, State
from app.lab import places
from app.lab.models import DatasetPicture

MANIFEST = "manifest.jsonl"
# The zip format's earliest date: the same pictures give the same file.
_DATE = (1980, 1, 1, 0, 0, 0)


class ManifestLine(BaseModel):
    """One picture of a dataset."""

    number: int
    file: str = Field(description="Its name in the zip file.")
    role: Literal["content", "style", "stylised", "picture"]
    name: str = Field(description="As it was called when it came.")
    content: int | None = Field(None, description="Number of the picture it was made from.")
    style: int | None = Field(None, description="Number of the picture whose style it has.")
    generator: str | None = None
    params: dict[str, Any] | None = Field(None, description="Every parameter of the style transfer.")
    klass: str | None = Field(None, alias="class", serialization_alias="class")
    domain: str | None = None
    sha256: str | None = Field(None, description="Of the stored PNG; of a picture still to be made, null.")
    width: int | None = None
    height: int | None = None
    state: State = State.DONE

    model_config = ConfigDict(populate_by_name=True)


def manifest_line(picture: DatasetPicture, job: Job | None) -> ManifestLine:
    state = State.DONE if picture.key is not None else State(job.state) if job is not None else State.CANCELLED
    return ManifestLine.model_validate(
        {
            "number": picture.number,
            "file": file_name(picture),
            "role": picture.role,
            "name": picture.name,
            "content": picture.content,
            "style": picture.style,
            "generator": picture.generator or None,
            "params": picture.params,
            "class": picture.klass or None,
            "domain": picture.domain or None,
            "sha256": picture.sha256,
            "width": picture.width,
            "height": picture.height,
            "state": state,
        }
    )


def file_name(picture: DatasetPicture) -> str:
    """Return a name that every system can unpack, in the folders by which its part is known when it is sent again."""
    folder = {"content": "contents", "style": "styles", "stylised": "stylised"}.get(picture.role)
    if folder is None:
        # Of labelled pictures the names stay: an original and its stylised version share theirs.
        stem = picture.name.rpartition(".")[0] or picture.name
        return "/".join(_plain(part) for part in ("pictures", picture.domain, picture.klass, stem) if part) + ".png"
    return f"{folder}/{picture.number:05d}.png"


def _plain(text: str) -> str:
    return "".join(character if character.isalnum() or character in "-_ " else "-" for character in text).strip() or "-"


def lines(pictures: Iterable[tuple[DatasetPicture, Job | None]]) -> Iterator[str]:
    """Yield the manifest line by line."""
    for _, _, line in _told(pictures):
        yield _text(line)


def zipped(pictures: Sequence[tuple[DatasetPicture, Job | None]], blobs: Blobs) -> Iterator[bytes]:
    """Yield a zip file of the pictures that are there, and of the manifest, holding one picture at a time.

    The manifest comes last, with the hash of every picture; one that vanished meanwhile has none.
    """
    sink = _Sink()
    told: list[str] = []
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_STORED) as archive:
        for picture, job, line in _told(pictures):
            key = places.key_of(picture, job) if line.state == State.DONE else None
            if key is not None:
                try:
                    data = blobs.get(key)
                except NotFound:
                    told.append(_text(line.model_copy(update={"sha256": None})))
                    continue
                line = line.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()})
                archive.writestr(zipfile.ZipInfo(line.file, _DATE), data)
                yield sink.drain()
            told.append(_text(line))
        archive.writestr(zipfile.ZipInfo(MANIFEST, _DATE), "".join(told))
    yield sink.drain()


def _told(pictures: Iterable[tuple[DatasetPicture, Job | None]]) -> Iterator[tuple[DatasetPicture, Job | None, ManifestLine]]:
    """Yield each picture with its line; a file name that another one has already gets the picture's number."""
    taken: set[str] = set()
    for picture, job in pictures:
        line = manifest_line(picture, job)
        if line.file.lower() in taken:
            line = line.model_copy(update={"file": f"{line.file.removesuffix('.png')}-{picture.number}.png"})
        taken.add(line.file.lower())
        yield picture, job, line


def _text(line: ManifestLine) -> str:
    return line.model_dump_json(by_alias=True) + "\n"


class _Sink:
    """The end of a pipe: takes what the archive writes, and gives it away."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        return

    def drain(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data
