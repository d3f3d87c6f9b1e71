"""Stored pictures: bytes under a key, in a local folder or an object store. The only user of fsspec."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import fsspec  # type: ignore[import-untyped]

from app.core.errors import NotFound
from app.infra import files

_CHUNK = 1_000_000
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_PARTIAL = ".partial-*"
# What stores call the moment of a file's last change.
_MODIFIED = ("mtime", "LastModified", "last_modified", "updated", "created")


@dataclass(frozen=True)
class Stored:
    """A stored file: its name below what was listed, its bytes, and when it was written, in seconds since 1970."""

    name: str
    size: int
    modified: float


@dataclass(frozen=True)
class Folder:
    """A folder of stored files.

    Attributes:
        modified: when anything in it last changed, a file that is just being written included.
    """

    name: str
    modified: float
    files: tuple[Stored, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class Blobs:
    def __init__(self, url: str) -> None:
        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")
        self._local = self._fs.protocol == "file" or "file" in self._fs.protocol
        if self._local:
            Path(self._root).mkdir(parents=True, exist_ok=True)

    @property
    def local_root(self) -> Path | None:
        """The folder on this machine that holds the pictures, or None for an object store."""
        return Path(self._root) if self._local else None

    def short_of(self, megabytes: float) -> bool:
        """Tell whether the disk that holds the pictures has less room than that; an object store never has."""
        return self._local and shutil.disk_usage(self._root).free < megabytes * 1_000_000

    def put(self, key: str, data: bytes) -> None:
        """Store ``data`` whole or not at all.

        fsspec promises neither fsync nor an atomic rename, so local files are written here.
        """
        path = self._path(key)
        if not self._local:
            self._fs.pipe_file(path, data)
            return
        with files.room_for("the picture"):
            files.write(Path(path), data)

    def put_file(self, key: str, file: IO[bytes]) -> None:
        """Store what ``file`` holds from its beginning, whole or not at all, without holding it in memory."""
        path = self._path(key)
        file.seek(0)
        if self._local:
            with files.room_for("the file"):
                files.write_from(Path(path), file)
            return
        # Closing commits what there is, however it came to an end.
        target = self._fs.open(path, "wb", autocommit=False)
        try:
            shutil.copyfileobj(file, target, _CHUNK)
            target.close()
            target.commit()
        except BaseException:
            target.discard()
            raise

    @contextmanager
    def open(self, key: str) -> Iterator[IO[bytes]]:
        """Open for reading at any place, as archives are read."""
        try:
            with self._fs.open(self._path(key), "rb") as file:
                yield file
        except FileNotFoundError as error:
            raise NotFound("That file is no longer stored.") from error

    def get(self, key: str) -> bytes:
        try:
            data: bytes = self._fs.cat_file(self._path(key))
        except FileNotFoundError as error:
            raise NotFound("That picture is no longer stored.") from error
        return data

    def delete(self, key: str) -> None:
        try:
            self._fs.rm_file(self._path(key))
        except FileNotFoundError:
            return

    def delete_folder(self, prefix: str) -> None:
        try:
            self._fs.rm(self._path(prefix), recursive=True)
        except FileNotFoundError:
            return

    def files(self, prefix: str) -> list[Stored]:
        """Return every stored file below a folder, by name; none where there is no such folder."""
        return sorted(self._local_files(Path(self._path(prefix))) if self._local else self._listed(prefix), key=lambda file: file.name)

    def folders(self, prefix: str) -> Iterator[Folder]:
        """Yield the folders in a folder with their files. Of an object store, which has no folders, those with files."""
        if not self._local:
            for name, files in groupby(self.files(prefix), key=lambda file: file.name.partition("/")[0]):
                inside = tuple(Stored(file.name.removeprefix(f"{name}/"), file.size, file.modified) for file in files if "/" in file.name)
                if inside:
                    yield Folder(name, max(file.modified for file in inside), inside)
            return
        for path in _folders_in(Path(self._path(prefix))):
            yield Folder(path.name, _last_change(path), tuple(self.files(f"{prefix}/{path.name}")))

    def used(self) -> int:
        """Return how many bytes are stored."""
        if self._local:
            return sum(file.size for file in self._local_files(Path(self._root)))
        return sum(file.size for file in self._listed(""))

    def delete_partials(self, before: float) -> int:
        """Remove what interrupted writes left, if it was last written before that moment; return how many files.

        An object store shows nothing before it is whole.
        """
        count = 0
        for path in Path(self._root).rglob(_PARTIAL) if self._local else ():
            stat = _stat(path)
            if stat is not None and stat.st_mtime < before:
                path.unlink(missing_ok=True)
                count += 1
        return count

    def _listed(self, prefix: str) -> list[Stored]:
        """Return what an object store lists below ``prefix``, asked anew: other processes write there too."""
        root = f"{self._path(prefix)}/" if prefix else f"{self._root}/"
        self._fs.invalidate_cache()
        try:
            found = self._fs.find(root, detail=True)
        except FileNotFoundError:
            return []
        below = [(str(name).removeprefix(root), info) for name, info in found.items() if str(name).startswith(root)]
        files = [Stored(name, int(info["size"] or 0), _moment(info)) for name, info in below]
        return [file for file in files if _KEY.fullmatch(file.name)]

    def _local_files(self, root: Path) -> Iterator[Stored]:
        for folder, _, names in os.walk(root):
            inside = Path(folder).relative_to(root)
            for name in names:
                stat = _stat(Path(folder) / name)
                if stat is not None and _KEY.fullmatch(key := (inside / name).as_posix()):
                    yield Stored(key, stat.st_size, stat.st_mtime)

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise NotFound(f"That is not the name of a stored picture. Received: {key!r}")
        return f"{self._root}/{key}"


def _folders_in(path: Path) -> list[Path]:
    try:
        return sorted(inside for inside in path.iterdir() if inside.is_dir() and _KEY.fullmatch(inside.name))
    except FileNotFoundError:
        return []


def _last_change(root: Path) -> float:
    """Return the newest change of a folder, of those in it and of what is being written into them."""
    paths = [root, *(Path(folder) / name for folder, folders, names in os.walk(root) for name in (*folders, *names))]
    return max((stat.st_mtime for path in paths if (stat := _stat(path)) is not None), default=time.time())


def _stat(path: Path) -> os.stat_result | None:
    """Return nothing for what was removed since it was listed."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _moment(info: Mapping[str, Any]) -> float:
    """Return when a listed file was written; a store that does not say so has only new files."""
    value = next((info[name] for name in _MODIFIED if info.get(name) is not None), None)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.timestamp() if isinstance(value, datetime) else float(value if value is not None else time.time())
