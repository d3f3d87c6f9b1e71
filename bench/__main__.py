"""`make bench`: our engine against a plain float32 Adam run, measured and judged in one run."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from app.core.config import Settings
from app.core.specs import PRESETS
from bench.judge import Judge
from bench.pictures import PAIRS, painting, photograph
from bench.plain import float32_adam, recipe
from bench.report import Pair, Run, write
from workers.nets import weights
from workers.nets.adain_decoder import AdaINDecoder
from workers.nets.vgg19 import VGG19
from workers.style.instant import Instant

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--pairs", type=int, default=4, help=f"pairs of pictures, 1 to {len(PAIRS)} (default: 4)")
    parser.add_argument("--adam", type=int, default=40, help="iterations of the plain Adam run before it is judged (default: 40)")
    parser.add_argument("--full", action="store_true", help="run all 1,000 iterations of Adam, on the first pair only")
    options = parser.parse_args()
    settings = Settings()
    weights.prepare(settings)
    with tempfile.TemporaryDirectory() as folder:
        say("our engine, in a process of its own")
        subprocess.run([sys.executable, "-m", "bench.worker", folder, str(options.pairs)], check=True)  # noqa: S603
        ours = json.loads((Path(folder) / "figures.json").read_text())
        pictures = [np.load(Path(folder) / f"{number}.npy") for number in range(options.pairs)]
    vgg = VGG19(weights.load("vgg19", settings))
    instant = Instant(vgg, AdaINDecoder(weights.load("adain_decoder", settings)), ours["precision"])
    judge = Judge(vgg)
    pairs, seconds = [], []
    for number, (names, job, picture) in enumerate(zip(PAIRS[: options.pairs], ours["jobs"], pictures, strict=True)):
        content, style = photograph(names[0]), painting(names[1])
        say(f"{' × '.join(names)}: recipe")
        other = recipe(vgg, instant, ours["precision"], content, style)
        iterations = 1000 if options.full and number == 0 else options.adam
        say(f"{' × '.join(names)}: {iterations} iterations of plain Adam")
        for last in float32_adam(vgg, content, style, iterations):  # noqa: B007
            pass
        seconds += last.seconds
        size = f"{picture.shape[1]} × {picture.shape[0]}"
        losses = (judge.loss(result, content, style) for result in (picture, other, last.picture))
        pairs.append(Pair(*names, size, job["first"], job["wall"], *losses, iterations, float(np.median(last.seconds))))
    run = Run(
        ours["device"],
        os.cpu_count() or 1,
        ours["precision"],
        PRESETS["default"].params.iterations,
        ours["load"],
        ours["warm_up"],
        ours["peak_bytes"],
        pairs,
    )
    print(write(run, RESULTS))  # noqa: T201


def say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
