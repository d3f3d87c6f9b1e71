"""Zip files from visitors: what is inside is decided before anything is unpacked, and every read is bounded."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import TracebackType
from typing import IO, Self, cast

from pydantic import BaseModel, ConfigDict, Field

from app.core.config import Settings
from app.core.errors import InputError, TooLarge

# Pictures are compressed already; what shrinks more than this is no picture.
MAX_RATIO = 100
# A directory entry is 46 bytes and a name; longer directories are not read at all.
_ENTRY_BYTES = 600
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_KINDS = {0o040000: "folder", 0o100000: "file", 0: "file"}
# Left behind by operating systems: nobody put them there on purpose.
_LITTER = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


class Skipped(BaseModel):
    """A file that was left out, and why."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="As it was called where it came from.")
    reason: str


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Bounds of one archive, in bytes but for ``members``."""

    members: int
    member: int
    total: int

    @classmethod
    def of(cls, settings: Settings) -> ArchiveLimits:
        return cls(members=settings.max_dataset_pictures, member=settings.max_upload_bytes, total=4 * settings.max_archive_bytes)


@dataclass(frozen=True, slots=True)
class Member:
    """A file that may be read: its number in the archive, its folders, and its name."""

    number: int
    path: PurePosixPath
    size: int


@dataclass(frozen=True, slots=True)
class Survey:
    members: tuple[Member, ...]
    skipped: tuple[Skipped, ...]


class _Bounded(io.RawIOBase):
    """A file of which no single read is longer than ``most`` bytes: a lying directory cannot fill the memory.

    None lifts the bound, for members: how much of those is read at once, ``Archive.read`` decides.
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self.most: int | None = most

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        if self.most is None:
            return self._file.read(size)
        if size > self.most:
            raise TooLarge("This zip file lists far more files than a dataset may have. Send fewer at a time.", field="archive")
        return self._file.read(self.most if size < 0 else size)


class Archive:
    """An open zip file; a context manager."""

    def __init__(self, file: IO[bytes], limits: ArchiveLimits) -> None:
        """Read the directory.

        Raises:
            InputError: not a zip file, or a damaged one.
            TooLarge: the directory is longer than a dataset's could be.
        """
        self._limits = limits
        bounded = _Bounded(file, max(limits.members * _ENTRY_BYTES, 1_000_000))
        try:
            self._zip = zipfile.ZipFile(cast("IO[bytes]", bounded))
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, OSError, ValueError) as error:
            raise InputError(
                "This is not a whole zip file: its directory cannot be read. Make it again, or send the pictures themselves.",
                field="archive",
            ) from error
        bounded.most = None
        self._entries = self._zip.infolist()

    def survey(self) -> Survey:
        """Return what may be read and what is left out, without unpacking anything.

        Raises:
            TooLarge: more files or more unpacked bytes than allowed.
            InputError: there is no file to read at all.
        """
        members: list[Member] = []
        skipped: list[Skipped] = []
        seen: set[str] = set()
        for number, entry in enumerate(self._entries):
            if entry.is_dir() or _LITTER.search(entry.filename):
                continue
            reason = self._fault(entry) or ("the archive holds this name twice; the first is taken" if entry.filename in seen else None)
            seen.add(entry.filename)
            if reason:
                skipped.append(Skipped(name=printable(entry.filename), reason=reason))
            else:
                members.append(Member(number, PurePosixPath(entry.filename), entry.file_size))
        if len(members) > self._limits.members:
            raise TooLarge(f"A dataset has at most {self._limits.members} pictures. Received: {len(members)}.", field="archive")
        total = sum(member.size for member in members)
        if total > self._limits.total:
            allowed = f"{self._limits.total / 1e6:,.0f} MB"
            raise TooLarge(f"Unpacked, a zip file may hold at most {allowed}. Received: {total / 1e6:,.0f} MB.", field="archive")
        if not members:
            because = f" The first of {len(skipped)} left out: {skipped[0].name}: {skipped[0].reason}." if skipped else ""
            raise InputError(f"This zip file holds no file that can be read.{because}", field="archive")
        return Survey(tuple(members), tuple(skipped))

    def read(self, member: Member) -> bytes:
        """Return the member's bytes.

        Raises:
            InputError: damaged, or not as long as the directory says.
        """
        try:
            with self._zip.open(self._entries[member.number]) as file:
                data = file.read(self._limits.member + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
            raise InputError("it is damaged inside the archive") from error
        if len(data) != member.size:
            raise InputError("it is not as long as the archive says")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._zip.close()

    def _fault(self, entry: zipfile.ZipInfo) -> str | None:
        """Return why a file is not taken, or None."""
        if not _plain(entry.orig_filename) or not _plain(entry.filename):
            return "its name leads out of the archive, or has characters that no file name has"
        kind = entry.external_attr >> 16 & 0o170000
        if entry.create_system == 3 and _KINDS.get(kind) != "file":
            return "it is a link or a special file, not a picture"
        if entry.flag_bits & 0x41:
            return "it is protected by a password"
        if entry.filename.lower().endswith(_ARCHIVES):
            return "it is an archive inside the archive; unpack it first"
        if entry.compress_type not in _METHODS:
            return "it is packed in a way that cannot be read here; use plain zip"
        if entry.file_size == 0:
            return "it is empty"
        if entry.file_size > self._limits.member:
            return f"it is larger than {self._limits.member / 1e6:g} MB"
        if entry.file_size > MAX_RATIO * max(entry.compress_size, 1) and entry.file_size > 100_000:
            return f"it unpacks to more than {MAX_RATIO} times its size, as no picture does"
        return None


def printable(name: str) -> str:
    """Return a name from outside as it may be shown: one line, no characters that steer, not endless."""
    clean = "".join(character for character in name if unicodedata.category(character) not in _UNPRINTABLE)
    return clean if len(clean) <= 200 else f"…{clean[-199:]}"


def _plain(name: str) -> bool:
    """Tell whether a name is a relative path below the archive, with nothing in it that a system reads otherwise."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name) or "\\" in name or ":" in name:
        return False
    parts = name.split("/")
    return bool(name) and not name.startswith("/") and ".." not in parts and len(name) <= 400
