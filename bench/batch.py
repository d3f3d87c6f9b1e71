"""`python -m bench.batch`: every photograph in every style by one warm worker, beside the ways without one, in pictures an hour."""

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
Way = Callable[[Sequence[Pair], str, int], None]


def main() -> None:
    given = _arguments()
    contents, styles = (
        list(dict.fromkeys(pair[side] for pair in PAIRS))[:count] for side, count in ((0, given.contents), (1, given.styles))
    )
    pairs = [(content, style) for content in contents for style in styles]
    if given.way:
        WAYS[given.way](pairs, given.preset, given.size)
        return
    weights.prepare(Settings())
    say = sys.stdout.write
    say(f"{len(pairs)} pictures at {given.size} pixels, preset {given.preset}\n\n| way | seconds | pictures an hour |\n|---|---|---|\n")
    for title in WAYS:
        # Each in a process of its own, so that none finds what another has left; loading counts.
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "bench.batch", *sys.argv[1:], "--way", title], check=True)  # noqa: S603
        took = time.perf_counter() - began
        say(f"| {title} | {took:.0f} | {3600 * len(pairs) / took:.0f} |\n")
        sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.batch", description=__doc__)
    parser.add_argument("--contents", type=int, default=2, help="photographs (default: %(default)s)")
    parser.add_argument("--styles", type=int, default=3, help="paintings (default: %(default)s)")
    parser.add_argument("--size", type=int, default=512, help="longer side in pixels (default: %(default)s)")
    parser.add_argument("--preset", default="default", help="(default: %(default)s)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


def _processes(pairs: Sequence[Pair], preset: str, size: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for content, style in pairs:
            Image.fromarray(photograph(content)).save(folder / "content.png")
            Image.fromarray(painting(style)).save(folder / "style.png")
            order = ["stylize", "content.png", "--style", "style.png", "-o", "out.png", "--preset", preset, "--size", str(size), "--force"]
            environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
            subprocess.run([sys.executable, "-m", "app.cli", *order], cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603


def _engines(pairs: Sequence[Pair], preset: str, size: int) -> None:
    for pair in pairs:
        _paint(Engine(Settings()), pair, preset, size)


def _worker(pairs: Sequence[Pair], preset: str, size: int) -> None:
    engine = Engine(Settings())
    engine.warm_up()
    for pair in pairs:
        _paint(engine, pair, preset, size)


def _paint(engine: Engine, pair: Pair, preset: str, size: int) -> None:
    engine.stylize(Commission.of(photograph(pair[0]), painting(pair[1]), resolve(preset, {"size": size})), lambda _: None)


WAYS: dict[str, Way] = {
    "a process for each picture": _processes,
    "one process, networks and graphs for each picture": _engines,
    "one worker for all": _worker,
}

if __name__ == "__main__":
    main()
