"""What a form brings, one file after the other in a single temporary one: however many they are, a form holds one file open."""

from __future__ import annotations

import io
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO

# Of all files of a form together; what is more lies on the disk.
IN_MEMORY = 1_000_000


class Spool:
    """Files that are written one after the other, and read only when the last is whole."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the form closes it
        self._end = 0

    def begin(self) -> SpooledFile:
        """Return the next file, which is empty; the one before is whole."""
        return SpooledFile(self, self._end)

    def append(self, data: bytes) -> None:
        self._file.write(data)
        self._end += len(data)

    def drop_from(self, place: int) -> None:
        self._file.seek(place)
        self._file.truncate()
        self._end = place

    def read(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)

    def close(self) -> None:
        # Closing writes what is left, for which there may be no room; nobody needs it any more.
        with suppress(OSError):
            self._file.close()


class SpooledFile(io.RawIOBase):
    """One file of a spool, for reading at any place."""

    def __init__(self, spool: Spool, start: int) -> None:
        self._spool = spool
        self._start = start
        self._size = 0
        self._at = 0

    def append(self, data: bytes) -> None:
        self._spool.append(data)
        self._size += len(data)

    def drop(self) -> None:
        """Forget what was written so far."""
        self._spool.drop_from(self._start)
        self._size = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if begin + offset < 0:
            raise ValueError(f"a file begins at 0, received {begin + offset}")
        self._at = begin + offset
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._size - self._at)
        data = self._spool.read(self._start + self._at, left if size is None or size < 0 else min(size, left))
        self._at += len(data)
        return data
