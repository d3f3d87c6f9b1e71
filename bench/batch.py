"""`python -m bench.batch`: every photograph in every style as one batch of a worker, beside separate jobs, in pictures an hour."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from PIL import Image

from app.core.commission import Commission
from app.core.config import Settings
from app.core.specs import resolve
from bench.pictures import PAIRS, painting, photograph
from workers.nets import weights
from workers.style.engine import Engine

Pair = tuple[str, str]


def main() -> None:
    given = _arguments()
    weights.prepare(Settings())
    contents, styles = (
        list(dict.fromkeys(pair[side] for pair in PAIRS))[:count] for side, count in ((0, given.contents), (1, given.styles))
    )
    pairs = [(content, style) for content in contents for style in styles]
    ways: dict[str, Callable[[Sequence[Pair]], float]] = {
        "separate: a process for each picture": lambda pairs: _processes(pairs, given.preset, given.size),
        "separate: one process, nothing shared": lambda pairs: _engines(pairs, given.preset, given.size),
        "batch: one worker": lambda pairs: _batch(pairs, given.preset, given.size),
    }
    seconds = {title: way(pairs) for title, way in ways.items()}
    batch = seconds["batch: one worker"]
    print(f"{len(pairs)} pictures at {given.size} pixels, preset {given.preset}\n")  # noqa: T201
    print("| way | seconds | pictures an hour | batch over it |\n|---|---|---|---|")  # noqa: T201
    for title, took in seconds.items():
        print(f"| {title} | {took:.0f} | {3600 * len(pairs) / took:.0f} | {took / batch:.2f}× |")  # noqa: T201


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.batch", description=__doc__)
    parser.add_argument("--contents", type=int, default=2, help="photographs (default: %(default)s)")
    parser.add_argument("--styles", type=int, default=3, help="paintings (default: %(default)s)")
    parser.add_argument("--size", type=int, default=512, help="longer side in pixels (default: %(default)s)")
    parser.add_argument("--preset", default="default", help="(default: %(default)s)")
    return parser.parse_args()


def _processes(pairs: Sequence[Pair], preset: str, size: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder, took = Path(name), 0.0
        for content, style in pairs:
            Image.fromarray(photograph(content)).save(folder / "content.png")
            Image.fromarray(painting(style)).save(folder / "style.png")
            order = ["stylize", "content.png", "--style", "style.png", "-o", "out.png", "--preset", preset, "--size", str(size), "--force"]
            command = [sys.executable, "-m", "app.cli", *order]
            environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
            began = time.perf_counter()
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603
            took += time.perf_counter() - began
    return took


def _engines(pairs: Sequence[Pair], preset: str, size: int) -> float:
    began = time.perf_counter()
    for pair in pairs:
        _paint(Engine(Settings()), pair, preset, size)
    return time.perf_counter() - began


def _batch(pairs: Sequence[Pair], preset: str, size: int) -> float:
    engine = Engine(Settings())
    engine.warm_up()
    began = time.perf_counter()
    for pair in pairs:
        _paint(engine, pair, preset, size)
    return time.perf_counter() - began


def _paint(engine: Engine, pair: Pair, preset: str, size: int) -> None:
    engine.stylize(Commission.of(photograph(pair[0]), painting(pair[1]), resolve(preset, {"size": size})), lambda _: None)


if __name__ == "__main__":
    main()
