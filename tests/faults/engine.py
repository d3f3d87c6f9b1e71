"""A painter without networks: it takes about a second, and its picture tells the job's seed. Some seeds misbehave."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.core.checkpoint import Checkpoint
from app.core.progress import Losses, OnProgress, Progress, StopRequested
from app.core.steering import settings_of
from workers.runtime.stylizing import Outcome, Sitting

Pixels = NDArray[np.uint8]

STEP_SECONDS = float(os.environ.get("FAULTS_STEP_SECONDS", "0.05"))
# Large enough that half of a result, or of a state, does not fit a buffer.
SIDE = 96
ABORTS, HANGS, HOLDS_THE_GIL = 666, 667, 668
_FOR_EVER = 1000


def painted(seed: int) -> Pixels:
    """Return the only picture that is right for ``seed``: uint8 (SIDE, SIDE, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def place_of(folder: Path, seed: int) -> Path:
    """Return the file that holds the id of the process which works on ``seed``, or did last."""
    return folder / f"at-{seed}"


def stand_in(sitting: Sitting, on_progress: OnProgress) -> Outcome:
    """Take the steps that were asked for, each with a preview and a state to go on from."""
    params = sitting.commission.params
    steps = sum(params.iterations)
    done = sitting.resume.iteration if sitting.resume else 0
    picture = painted(params.seed)
    place_of(Path(os.environ["FAULTS_DIR"]), params.seed).write_text(str(os.getpid()))
    try:
        while done < steps:
            time.sleep(STEP_SECONDS)
            done += 1
            on_progress(_record(sitting, done, steps, picture))
            MISBEHAVIOUR.get(params.seed, _nothing)()
    except StopRequested:
        return Outcome(picture, {"iterations": done})
    return Outcome(picture, {"iterations": done})


def _record(sitting: Sitting, done: int, steps: int, picture: Pixels) -> Progress:
    def save() -> Checkpoint:
        canvas = picture.astype(np.float32) / np.float32(255)
        return Checkpoint(0, done, done, done * STEP_SECONDS, canvas, canvas, (3.0,), settings_of(sitting.steer()), {})

    elapsed = done * STEP_SECONDS
    remaining = (steps - done) * STEP_SECONDS
    return Progress("refine", SIDE, done, steps, done / steps, Losses(1.0, 2.0, 0.0, 3.0), elapsed, remaining, picture[:32, :32], save=save)


def _nothing() -> None:
    return


def _hold_the_gil() -> None:
    """Do as a loop in C does: no other thread runs, neither heartbeat nor watchdog, and no signal is looked at."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(_FOR_EVER)


MISBEHAVIOUR: dict[int, Callable[[], None]] = {ABORTS: os.abort, HANGS: lambda: time.sleep(_FOR_EVER), HOLDS_THE_GIL: _hold_the_gil}
