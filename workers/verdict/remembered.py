"""Vectors remembered in files: how they are kept, which are believed, and how long they stay."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Vectors outlive the pictures they came from, but not for ever: after so long without use they go.
KEPT_SECONDS = 30 * 24 * 3600.0


def place_of(folder: Path, key: str) -> Path:
    """Return the file of a vector in ``folder``; ``key`` is a hexadecimal digest of all that decides it."""
    return folder / key[:2] / f"{key[2:]}.f32"


def recall(place: Path, length: int) -> NDArray[np.float32] | None:
    """Return the float32 (length,) vector in a file and note that it was used, or None where there is none to be believed.

    A power cut leaves files shorter, or of the right length and all zero.
    """
    try:
        row = np.frombuffer(place.read_bytes(), "<f4")
    except (OSError, ValueError):
        # Not there, or no whole number of floats.
        return None
    if row.shape != (length,) or not np.isfinite(row).all() or not row.any():
        return None
    # Swept by another process meanwhile: it was read all the same.
    with suppress(OSError):
        os.utime(place)
    return row.astype(np.float32)


def remember(place: Path, row: NDArray[np.float32]) -> None:
    """Keep a vector as little-endian floats; whoever reads meanwhile finds all of it or none.

    There are thousands, and they can be made again: none waits for the disk.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".partial-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(row.astype("<f4").tobytes())
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def forget_old(folder: Path, seconds: float = KEPT_SECONDS) -> int:
    """Delete the files below ``folder`` that were not used for so long, leftovers of crashes among them; return how many."""
    oldest = time.time() - seconds
    gone = 0
    for place in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if place.is_file() and place.stat().st_mtime < oldest:
                place.unlink()
                gone += 1
    return gone
