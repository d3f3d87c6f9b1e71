"""`python -m bench.memory shapes|size`: what a worker holds over many shapes of pictures, and at most at one size."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import skimage.data

from app.core.commission import Commission
from app.core.config import Settings
from app.core.specs import StyleParams
from bench.pictures import PAIRS, painting, photograph
from workers.style.engine import Engine


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("what", choices=("shapes", "size"))
    parser.add_argument("--count", type=int, default=50, help="shapes of pictures (default: 50)")
    parser.add_argument("--size", type=int, default=512, help="longer side in pixels (default: 512)")
    options = parser.parse_args()
    engine = Engine(Settings())
    engine.warm_up()
    print(f"after the warm-up: {held('VmRSS') / 2**30:.2f} GiB", flush=True)  # noqa: T201
    lines = shapes(engine, options.size, options.count) if options.what == "shapes" else size(engine, options.size)
    for line in lines:
        print(line, flush=True)  # noqa: T201


def shapes(engine: Engine, longer: int, count: int) -> Iterator[str]:
    """Paint pictures of ``count`` shapes, none like another; tell what is held after each."""
    content, style = skimage.data.astronaut(), skimage.data.coffee()
    for number in range(count):
        cut = content[: 500 - 8 * (number // 2)] if number % 2 else content[:, : 500 - 8 * (number // 2)]
        engine.stylize(Commission.of(cut, style, StyleParams(size=longer, iterations=(1, 1))), lambda _: None)
        yield f"{number + 1:3d} {cut.shape[1]} × {cut.shape[0]}: {held('VmRSS') / 2**30:.2f} GiB"


def size(engine: Engine, longer: int) -> Iterator[str]:
    """Paint one picture with few steps; tell the most that was held, and the seconds of each step."""
    content, style = PAIRS[0]
    began = time.perf_counter()
    params = StyleParams(size=longer, iterations=(2, 2), enlarging=2)
    seen: list[str] = []

    def follow(progress: object) -> None:
        seen.append(
            f"{getattr(progress, 'scale', 0)} px after {time.perf_counter() - began:.0f} s: {held('VmHWM') / 2**30:.2f} GiB at most"
        )

    engine.stylize(Commission.of(photograph(content), painting(style), params), follow)
    yield from seen


def held(what: str) -> int:
    """Return what this process holds (``VmRSS``), or at most held (``VmHWM``), in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
