"""Stored pictures: bytes under a key, in a local folder or an object store. The only user of fsspec."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import fsspec  # type: ignore[import-untyped]

from app.core.errors import NotFound
from app.infra import files

_CHUNK = 1_000_000
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")


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
        with self._fs.open(path, "wb") as target:
            shutil.copyfileobj(file, target, _CHUNK)

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

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise NotFound(f"That is not the name of a stored picture. Received: {key!r}")
        return f"{self._root}/{key}"
