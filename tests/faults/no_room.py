"""A disk that is full because a file says so (``FAULTS_DIR/full``), where no small file system can be mounted."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

from app.infra import files

# What a write gets to before the disk is full.
_ROOM_BYTES = 2_000


def sign(folder: Path) -> Path:
    """Return the file whose being there means that the disk is full."""
    return folder / "full"


def install() -> None:
    write_from = files.write_from
    full = sign(Path(os.environ["FAULTS_DIR"]))

    def write(path: Path, source: IO[bytes], *, private: bool = True) -> None:
        write_from(path, _Bounded(source) if full.exists() else source, private=private)  # type: ignore[arg-type]

    files.write_from = write


class _Bounded:
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._left = _ROOM_BYTES

    def read(self, size: int = -1) -> bytes:
        if self._left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        data = self._source.read(min(size, self._left) if size > 0 else self._left)
        self._left -= len(data)
        return data
