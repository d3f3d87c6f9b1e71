"""How a picture was made, carried inside it: an iTXt chunk in PNG, a comment in JPEG, the description of a TIFF, none touching a pixel.

PNG: W3C PNG specification, third edition, 11.3.3.4 (iTXt). JPEG: ITU-T T.81, B.2.4.5 (COM). TIFF: "TIFF Revision 6.0", ImageDescription.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from app.core.finish import Finish
from app.core.specs import StyleParams
from app.core.verdicts import VerdictSummary
from app.imaging import tiff
from app.imaging.chunks import SIGNATURE, chunk, chunks

KEYWORD = b"pentimento"
MOST_NOTES = 50
LONGEST = 60_000  # bytes of JSON; a JPEG comment holds 65,533

_ITXT_HEAD = KEYWORD + b"\0\0\0\0\0"  # keyword, not compressed, method 0, no language, no translation
_TEXT_HEAD = KEYWORD + b" "
_SOI, _SOS, _APP0, _COM = 0xD8, 0xDA, 0xE0, 0xFE


class InputDigest(BaseModel):
    """One of the pictures that went in, by its normalised pixels' file; mask and part follow the painting that they are of.

    ``start`` is the file of the finished picture that a continued one began from.
    """

    model_config = ConfigDict(frozen=True)

    role: Literal["content", "style", "mask", "part", "protect", "start"]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    weight: float = 1.0


class Change(BaseModel):
    """A number that was changed during the run."""

    model_config = ConfigDict(frozen=True)

    iteration: int = Field(ge=0, description="The first iteration with the new value.")
    name: str = Field(max_length=40, description="A parameter, or weight_1, weight_2 … of the paintings.")
    before: float
    after: float


class Receipt(BaseModel):
    """Everything needed to paint the same picture again."""

    model_config = ConfigDict(frozen=True)

    product: Literal["Pentimento"] = "Pentimento"
    version: str = Field(max_length=40)
    created: AwareDatetime
    job: str | None = Field(None, max_length=64)
    preset: str | None = Field(None, max_length=64)
    parameters: StyleParams
    inputs: tuple[InputDigest, ...] = Field(max_length=16)
    weights: dict[str, str] = Field(description="SHA-256 of each network's weights, by name.")
    libraries: dict[str, str] = Field(description="Version of each library that decides pixels.")
    precision: Literal["float32", "bfloat16"]
    xla: bool = Field(False, description="Whether XLA compiled the graphs.")
    device: str = Field(max_length=200)
    iterations: int = Field(ge=0, description="Iterations done.")
    planned: int = Field(ge=0, description="Iterations asked for.")
    stopped_early: bool = False
    resumed_at: int | None = Field(
        None,
        ge=0,
        description="Iteration that the last worker went on from, after a pause or an interruption; null where one painted it all.",
    )
    notes: tuple[str, ...] = Field(
        (), max_length=MOST_NOTES, description="What went otherwise than planned, such as a scale that ended early."
    )
    changes: tuple[Change, ...] = Field(
        (), max_length=500, description="Numbers that were changed during the run; `parameters` has the last."
    )
    finish: Finish = Field(default_factory=Finish, description="What was done to the painted picture afterwards.")
    elapsed: float = Field(ge=0, description="Seconds.")
    verdict: VerdictSummary | None = Field(None, description="What the detector said of the pictures, once it has looked.")

    @property
    def seed(self) -> int:
        return self.parameters.seed


def attach(picture: bytes, receipt: Receipt) -> bytes:
    """Return the same PNG, JPEG or TIFF of ours with the receipt inside; every byte of the pixels stays as it is.

    Raises:
        ValueError: none of them, or a receipt longer than ``LONGEST``.
    """
    text = receipt.model_dump_json().encode()
    if len(text) > LONGEST:
        raise ValueError(f"a receipt takes at most {LONGEST} bytes, received {len(text)}")
    if picture.startswith(SIGNATURE):
        after_header = len(SIGNATURE) + 12 + int.from_bytes(picture[8:12], "big")
        return picture[:after_header] + chunk(b"iTXt", _ITXT_HEAD + text) + picture[after_header:]
    if picture.startswith(bytes((0xFF, _SOI))):
        comment = _TEXT_HEAD + text
        segment = bytes((0xFF, _COM)) + struct.pack(">H", len(comment) + 2) + comment
        # JFIF asks to be the first segment.
        after = 4 + int.from_bytes(picture[4:6], "big") if picture[3] == _APP0 else 2
        return picture[:after] + segment + picture[after:]
    if picture.startswith(tiff.LITTLE_ENDIAN):
        return tiff.described(picture, _TEXT_HEAD + json.dumps(json.loads(text)).encode("ascii"))
    raise ValueError(f"a receipt goes into PNG, JPEG or TIFF, received a file that begins with {picture[:8]!r}")


def read(data: bytes) -> Receipt | None:
    """Return the receipt inside any file, or None. Safe on untrusted bytes: nothing is decompressed."""
    text = None
    if data.startswith(SIGNATURE):
        text = next((body[len(_ITXT_HEAD) :] for body in _png_texts(data) if body.startswith(_ITXT_HEAD)), None)
    elif data.startswith(bytes((0xFF, _SOI))):
        text = next((body[len(_TEXT_HEAD) :] for body in _jpeg_comments(data) if body.startswith(_TEXT_HEAD)), None)
    elif data.startswith(tiff.LITTLE_ENDIAN):
        said = tiff.description(data) or b""
        text = said.removeprefix(_TEXT_HEAD) if said.startswith(_TEXT_HEAD) else None
    if text is None or len(text) > LONGEST:
        return None
    try:
        return Receipt.model_validate_json(text)
    except ValidationError:
        return None


def _png_texts(data: bytes) -> Iterator[bytes]:
    return (body for kind, body, right in chunks(data) if right and kind == b"iTXt")


def _jpeg_comments(data: bytes) -> Iterator[bytes]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SOS:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            return
        if data[at + 1] == _COM:
            yield data[at + 4 : at + 2 + length]
        at += 2 + length
