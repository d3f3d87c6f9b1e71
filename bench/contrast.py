"""`python -m bench.contrast`: how long the contrastive stage takes for 1,000 pairs and 100 epochs on cached features."""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from app.core.experiments import OBJECTIVES, TrainParams
from workers.contrast.table import Table
from workers.contrast.trainer import train

EPOCHS = 100


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.contrast", description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000, help="content–stylised pairs (default: 1000)")
    parser.add_argument("--features", type=int, default=2048, help="numbers that describe a picture; pooled has 2048 (default: 2048)")
    options = parser.parse_args()
    rows, table = _noise(options.pairs, options.features)
    for objective in (name for name in OBJECTIVES if name != "none"):
        wall, processor = time.perf_counter(), time.process_time()
        history = train(rows, table, TrainParams(objective=objective, epochs=EPOCHS), 1).history
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(  # noqa: T201
            f"{objective}: {wall:.1f} s by the clock, {processor:.1f} s of processor time, loss {history[0].loss:.3f} to {history[-1].loss:.3f}"
        )


def _noise(pairs: int, features: int) -> tuple[np.ndarray, Table]:
    """Return float32 (2·pairs, features) of random contents, each followed later by itself with a style's offset and noise."""
    rng = np.random.default_rng(0)
    contents = rng.standard_normal((pairs, features)).astype(np.float32)
    offset = rng.standard_normal(features).astype(np.float32)
    stylised = contents + offset + np.float32(0.7) * rng.standard_normal((pairs, features)).astype(np.float32)
    names = np.tile(np.arange(pairs).astype(str), 2)
    return np.concatenate([contents, stylised]), Table(names, np.repeat(["", "style"], pairs), np.repeat([0, 1], pairs))


if __name__ == "__main__":
    main()
