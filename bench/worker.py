"""``python -m bench.worker FOLDER SYSTEM``: one system in a process of its own paints what is not painted yet."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench import peer
from bench.peer import PeerError
from bench.pictures import PAIRS, painting, photograph
from bench.plan import Plan
from bench.records import Painted, Records
from bench.systems import SYSTEMS

One = Callable[[NDArray[np.uint8], NDArray[np.uint8]], tuple[NDArray[np.uint8], Painted]]


def main(folder: Path, name: str) -> None:
    """Paint every pair of the plan in ``folder`` that has no record; of each one its names and seconds to stdout.

    Where the program of others cannot be had, the reason goes there as one string.
    """
    plan, records, system = Plan.read(folder), Records(folder), SYSTEMS[name]
    missing = [pair for pair in PAIRS[: system.wanted(plan.pairs, plan.full)] if not records.is_painted(name, pair)]
    if not missing:
        return
    paint = _peer(folder, plan) if system.kind == "peer" else _ours(name, plan)
    for pair in missing:
        pixels, painted = paint(photograph(pair[0]), painting(pair[1]))
        records.keep(name, pair, pixels, painted)
        print(json.dumps([*pair, painted.wall]), flush=True)  # noqa: T201


def _ours(name: str, plan: Plan) -> One:
    # The peer's process has no use for TensorFlow, and should not share its memory.
    from bench.painters import PAINTERS
    from bench.rate import PRECISIONS, Rates

    system = SYSTEMS[name]
    rates = Rates()
    paint = PAINTERS[system.kind](system, plan)

    def one(content: NDArray[np.uint8], style: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Painted]:
        load, before = os.getloadavg()[0], rates.measure()
        wall, processor = time.perf_counter(), time.process_time()
        result = paint(content, style)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        peak, after = peak_bytes(), rates.measure()
        best = {precision: max(before[precision], after[precision]) for precision in PRECISIONS}
        allowed = result.work.seconds(result.precision, best) if result.work and result.seconds else None
        return result.pixels, Painted(
            wall, processor, result.first, result.iteration, result.iterations, allowed, peak, best, load, result.precision
        )

    return one


def _peer(folder: Path, plan: Plan) -> One:
    python = peer.program(folder.parent / "peer")

    def one(content: NDArray[np.uint8], style: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Painted]:
        with TemporaryDirectory() as name:
            paths = [Path(name) / file for file in ("content.png", "style.png", "result.png")]
            for path, pixels in zip(paths, (content, style), strict=False):
                Image.fromarray(pixels).save(path)
            load, wall = os.getloadavg()[0], time.perf_counter()
            run = peer.paint(python, paths[0], paths[1], plan.size, paths[2])
            wall = time.perf_counter() - wall
            result = Image.open(paths[2]).convert("RGB")
        ratio = plan.size / max(content.shape[:2])
        wanted = round(content.shape[1] * ratio), round(content.shape[0] * ratio)
        # Measured at the size of the others, by a pixel more or less.
        pixels = np.asarray(result if result.size == wanted else result.resize(wanted, Image.Resampling.LANCZOS))
        return pixels, Painted(wall, run.processor, None, None, 0, None, run.peak_bytes, {}, load, "float32")

    return one


def peak_bytes() -> int:
    """Return the most memory this process held: Linux's own count, which unlike getrusage forgets the parent's."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.is_file() else []:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except PeerError as error:
        print(json.dumps(str(error)), flush=True)  # noqa: T201
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
