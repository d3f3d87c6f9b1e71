"""The per-user cache folder: one writer at a time, whole files only."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.core.errors import ArtefactError, StorageFull
from app.infra import files

_log = logging.getLogger(__name__)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the cache for writing; a second process waits here until the first is done.

    The lock belongs to the open file, so it ends with the process that holds it.
    """
    with _acquire(folder):
        yield


def _acquire(folder: Path) -> IO[str]:
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / "lock").open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.warning("Another start is filling the cache %s; waiting for it.", folder)
            fcntl.flock(handle, fcntl.LOCK_EX)
        return handle


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """Turn a full disk or a forbidden folder into an error a person can act on."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise _full(folder, None) from error
        raise ArtefactError(
            f"The cache folder {folder} cannot be used ({error.strerror}). Set PENTIMENTO_CACHE to a folder you can write to."
        ) from error


def require_room(folder: Path, size: int) -> None:
    """Raise StorageFull unless ``size`` bytes and a little more fit beside ``folder``."""
    if shutil.disk_usage(folder).free < size + 1_000_000:
        raise _full(folder, size)


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` never holds less than all of it."""
    with in_words(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        require_room(path.parent, len(data))
        files.write(path, data)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _full(folder: Path, size: int | None) -> StorageFull:
    needed = f" {size / 1e6:.0f} MB are needed." if size else ""
    return StorageFull(
        f"The disk that holds {folder} is full.{needed} Free some space, or set PENTIMENTO_CACHE to a folder on another disk."
    )
