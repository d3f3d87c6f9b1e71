"""Local files, written whole or not at all. Names beginning with ``.partial-`` are leftovers of a crash."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.core.errors import StorageFull


@contextmanager
def room_for(what: str) -> Iterator[None]:
    """Turn "no space left" and "quota exceeded" into StorageFull; ``what`` could not be stored."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"The disk is full, so {what} could not be stored. Free some space and try again.") from error
        raise


def write(path: Path, data: bytes, *, private: bool = True) -> None:
    """Write ``data`` so that ``path`` never holds less than all of it, a power cut included.

    Args:
        private: for its owner's eyes only; otherwise with the rights that the umask leaves.

    Raises:
        OSError: nothing was written; the old file, if any, is as it was.
    """
    write_from(path, io.BytesIO(data), private=private)


def write_from(path: Path, source: IO[bytes], *, private: bool = True) -> None:
    """As ``write``, for what ``source`` holds from where it stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(source, file, 1_000_000)
            file.flush()
            if not private:
                os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.fsync(file.fileno())
        publish(Path(temporary), path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def publish(temporary: Path, path: Path) -> None:
    """Rename a finished file into place and make the rename survive a power cut."""
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
