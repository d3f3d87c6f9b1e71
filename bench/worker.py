"""Our engine in a process of its own, as a worker has it: times, and the most memory it ever held."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from app.core.commission import Commission
from app.core.config import Settings
from app.core.progress import Progress
from app.core.specs import resolve
from bench.pictures import PAIRS, painting, photograph
from workers.style.engine import Engine
from workers.style.resample import to_uint8


def main(folder: Path, count: int) -> None:
    """Paint ``count`` pairs with the default preset into ``folder``; figures go to figures.json there."""
    began = time.perf_counter()
    engine = Engine(Settings())
    loaded = time.perf_counter()
    engine.warm_up()
    figures = {
        "load": loaded - began,
        "warm_up": time.perf_counter() - loaded,
        "precision": engine.precision,
        "device": engine.device,
        "idle_bytes": peak_bytes(),
        "jobs": [],
    }
    for number, (content, style) in enumerate(PAIRS[:count]):
        pair = photograph(content), painting(style)
        first: list[float] = []
        began = time.perf_counter()

        def follow(progress: Progress, began: float = began, first: list[float] = first) -> None:
            if progress.preview is not None:
                first.append(time.perf_counter() - began)

        picture = to_uint8(engine.stylize(Commission.of(*pair, resolve("default")), follow))
        figures["jobs"].append({"first": first[0], "wall": time.perf_counter() - began, "records": len(first)})
        np.save(folder / f"{number}.npy", picture)
    figures["peak_bytes"] = peak_bytes()
    (folder / "figures.json").write_text(json.dumps(figures))


def peak_bytes() -> int:
    """Return the most memory this process held: Linux's own count, which unlike getrusage forgets the parent's."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.is_file() else []:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
