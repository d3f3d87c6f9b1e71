"""Reads a multipart form while counting: no file grows beyond the limit, whatever Content-Length says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import IO, cast
from urllib.parse import parse_qsl

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool

from app.core.errors import InputError, TooLarge
from app.infra import files
from app.web.spool import Spool, SpooledFile

_MANY_FILES = 200
# Of one field, and of all fields of a form together; headers have the parser's own bound.
_TEXT_BYTES = 10_000
_TEXTS_BYTES = 200_000
_PARTS = 100
# A form without files: names of samples and numbers.
_URLENCODED_BYTES = 100_000
# Every picture that a form may bring: two, three more paintings and nine regions, and two to spare.
_FILES = 16
# So many limits beyond that a file over the limit is read on and thrown away, so that the
# browser, which answers only when it has sent everything, hears why.
_PATIENCE = 2
_PATIENCE_WITH_MANY = 2
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class FormLimits:
    """How much one form may bring: bytes a file, bytes in all (the rest is read and thrown away), files, parts."""

    file: int
    total: int
    files: int = _FILES
    parts: int = _PARTS

    @classmethod
    def for_pictures(cls, most: int) -> FormLimits:
        return cls(most, (_FILES + _PATIENCE) * most)

    @classmethod
    def for_dataset(cls, most: int) -> FormLimits:
        """A dataset is sent whole: a zip file, or some hundred pictures."""
        return cls(most, _PATIENCE_WITH_MANY * most, _MANY_FILES, _MANY_FILES + 10 * _PARTS)

    @classmethod
    def for_styles(cls, most: int, count: int) -> FormLimits:
        """So many pictures as a study takes, and some more to be told that they are too many."""
        return cls(most, (count + _PATIENCE) * most, 2 * count, 2 * count + _PARTS)

    @classmethod
    def for_words(cls, most: int) -> FormLimits:
        """A form without files."""
        return cls(0, most, 0)


@dataclass
class Upload:
    """One received file; ``too_large`` when the rest of it was thrown away."""

    name: str
    body: SpooledFile
    size: int = 0
    too_large: bool = False

    @property
    def file(self) -> IO[bytes]:
        return cast("IO[bytes]", self.body)

    def read(self) -> bytes:
        # What is still in memory may be written first.
        with files.room_for("the picture"):
            self.body.seek(0)
            return self.body.read()


@dataclass
class Form:
    """What arrived: the text fields, the files, and the field at which the whole became too much.

    Of a field that came several times ``fields`` and ``files`` hold the last, ``values`` and ``uploads`` each one.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    uploads: dict[str, list[Upload]] = field(default_factory=dict)
    cut_off_at: str | None = None
    spool: Spool | None = None

    @property
    def fields(self) -> dict[str, str]:
        return {name: given[-1] for name, given in self.values.items()}

    @property
    def files(self) -> dict[str, Upload]:
        return {name: given[-1] for name, given in self.uploads.items()}

    def close(self) -> None:
        if self.spool is not None:
            self.spool.close()


def display_name(name: str) -> str:
    """Return a file name that is safe to show: no path, no control or direction-changing characters."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(character for character in last if unicodedata.category(character) not in _UNPRINTABLE).strip()
    return clean[:120] or "picture"


def too_large(limit: int, name: str | None) -> TooLarge:
    return TooLarge(f"This file is larger than {limit / 1_000_000:g} MB. Choose a smaller one, or save it as a JPEG first.", field=name)


def cut_off(name: str) -> TooLarge:
    return TooLarge(
        "The files of this form are too large together, so that this one was not read to its end. Send smaller ones.", field=name
    )


async def read_form(content_type: str, body: AsyncIterator[bytes], limits: FormLimits) -> Form:
    """Read a form, multipart within ``limits``, or urlencoded without files.

    Raises:
        InputError: the body is neither, or is not well formed.
        TooLarge: an urlencoded body that is longer than any form.
        StorageFull: the disk has no room for the files.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"application/x-www-form-urlencoded":
        return await _read_urlencoded(body)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise InputError(
            "Send a form: multipart/form-data with the pictures as files, or application/x-www-form-urlencoded with names of samples."
        )
    reader = _Reader(boundary, limits)
    received = 0
    try:
        async for chunk in body:
            received += len(chunk)
            if received > limits.total:
                reader.form.cut_off_at = reader.current
                return reader.form
            await run_in_threadpool(reader.feed, chunk)
        reader.finish()
    except BaseException:
        reader.form.close()
        raise
    return reader.form


async def _read_urlencoded(body: AsyncIterator[bytes]) -> Form:
    received = bytearray()
    async for chunk in body:
        received += chunk
        if len(received) > _URLENCODED_BYTES:
            raise TooLarge(f"This form is longer than {_URLENCODED_BYTES} bytes. Send pictures as files of a multipart form.")
    try:
        pairs = parse_qsl(received.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_PARTS)
    except ValueError as error:
        raise InputError(f"The form has more than {_PARTS} fields.") from error
    for name, value in pairs:
        if len(value.encode()) > _TEXT_BYTES:
            raise InputError("A field of the form is too long.", field=name)
    form = Form()
    for name, value in pairs:
        form.values.setdefault(name, []).append(value)
    return form


class _Reader:
    def __init__(self, boundary: bytes, limits: FormLimits) -> None:
        self.form = Form()
        self.current: str | None = None
        self._limits = limits
        self._files = 0
        self._file: Upload | None = None
        self._text = bytearray()
        self._texts = 0
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._parts = 0
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._open,
                "on_part_data": self._data,
                "on_part_end": self._close,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InputError("The form arrived damaged. Try again.") from error

    def finish(self) -> None:
        try:
            self._parser.finalize()
        except FormParserError as error:
            raise InputError("The form arrived incomplete. Try again.") from error
        if not self._complete:
            raise InputError("The form arrived incomplete. Try again.")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > self._limits.parts:
            raise InputError(f"The form has more than {self._limits.parts} fields.")
        self._file, self._text, self._disposition = None, bytearray(), b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _header_end(self) -> None:
        if bytes(self._header[0]).lower() == b"content-disposition":
            self._disposition = bytes(self._header[1])
        self._header = (bytearray(), bytearray())

    def _open(self) -> None:
        options = parse_options_header(self._disposition)[1]
        if b"name" not in options:
            raise InputError("A part of the form has no name.")
        self.current = options[b"name"].decode("utf-8", "replace")
        # Browsers send an empty file without a name for a file field left empty.
        if options.get(b"filename"):
            if self._files >= self._limits.files:
                raise InputError(
                    f"One form takes at most {self._limits.files} files; pack more into a zip file where one is taken.", field=self.current
                )
            self._files += 1
            name = display_name(options[b"filename"].decode("utf-8", "replace"))
            if self.form.spool is None:
                self.form.spool = Spool()
            self._file = Upload(name, self.form.spool.begin())
            self.form.uploads.setdefault(self.current, []).append(self._file)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            if len(self._text) + end - start > _TEXT_BYTES:
                raise InputError("A field of the form is too long.", field=self.current)
            self._text.extend(data[start:end])
            self._texts += end - start
            if self._texts > _TEXTS_BYTES:
                raise InputError("The fields of the form are too long together.", field=self.current)
            return
        self._file.size += end - start
        with files.room_for("the picture"):
            if self._file.size <= self._limits.file:
                self._file.body.append(data[start:end])
            elif not self._file.too_large:
                self._file.too_large = True
                self._file.body.drop()

    def _close(self) -> None:
        if self._file is None and self.current is not None:
            self.form.values.setdefault(self.current, []).append(bytes(self._text).decode("utf-8", "replace"))

    def _end(self) -> None:
        self._complete = True
