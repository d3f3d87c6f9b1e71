"""Files of remembered vectors: which are believed, and how long they stay."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Vectors outlive the pictures they came from, but not for ever: after so long without use they go.
KEPT_SECONDS = 30 * 24 * 3600.0


def believed(row: NDArray[np.float32], length: int) -> bool:
    """Tell whether ``row`` is a whole vector. A power cut leaves files shorter, or of the right length and all zero."""
    return row.shape == (length,) and bool(np.isfinite(row).all()) and bool(row.any())


def used(place: Path) -> None:
    """Note that a file was used just now."""
    # Swept by another process meanwhile: it was read all the same.
    with suppress(OSError):
        os.utime(place)


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
