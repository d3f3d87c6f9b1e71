"""Nothing that a backup may still have to copy is deleted while it is made.

Who deletes holds a lock together with others of his kind, a backup holds it alone. The kernel
gives it up with the process that had it, so that a backup that was killed stops nobody.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from app.core.config import Settings

_LOCK = "backup.lock"


@contextmanager
def deleting(settings: Settings) -> Iterator[bool]:
    """Yield whether files may be deleted in the block. False: a backup is being made, so try again later."""
    if not is_local(settings):
        yield True
        return
    with _opened(settings) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def standstill(settings: Settings) -> Iterator[None]:
    """Wait until nobody deletes, and let nobody begin during the block."""
    with _opened(settings) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_local(settings: Settings) -> bool:
    """Tell whether all that lasts is in the data folder; elsewhere no backup is made here."""
    return settings.database_url is None and settings.blobs_url is None


def _opened(settings: Settings) -> IO[str]:
    settings.data.mkdir(parents=True, exist_ok=True)
    return (settings.data / _LOCK).open("w")
