"""`python -m bench.enlarged`: the same pairs small and large, side by side: docs/enlarged.jpg, and a table.

Does the small picture promise the large one, and does the large one fit together where it was cut into tiles?
What is painted is kept: Ctrl-C, and the same command again, goes on from there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.core.commission import Commission
from app.core.config import Settings
from app.core.errors import ParameterErrors
from app.core.specs import DEFAULT_PRESET, PRESETS, STYLE_LAYERS, StyleParams, resolve
from app.infra import files
from bench.edges import luminance
from bench.pictures import painting, photograph
from bench.plan import Plan
from bench.seams import mesh, worst_seam
from bench.sheet import SIZE, card, laid_out, save
from bench.worker import peak_bytes
from workers.nets import weights
from workers.nets.precision import choose, device
from workers.style import engine as engines
from workers.style import pyramid
from workers.style.objective import deepest
from workers.style.resample import shrink, to_uint8
from workers.style.tiles import halo, is_cut, windows

SHEET = Path(__file__).parents[1] / "docs" / "enlarged.jpg"
WORK = Path(__file__).parent / "work"
SMALL, LARGE = 512, 2048
# A rocket before a flat sky and a temple before a pale one, where a mesh or a seam would show; fur.
CHOSEN = (("rocket", "woodblock"), ("china", "watercolour"), ("chelsea", "night"))
# GB of memory to paint within at 2048 pixels: with more a picture of that size is not cut at all.
FREE = 6.0
# Composition is compared at this size: what is smaller is brush work.
_COMPOSED = 64

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Painted:
    """How a picture was painted: seconds from the call, the most its process held, and the largest side of a tile."""

    seconds: float
    peak_bytes: int
    tile: int


def main() -> None:
    given = _arguments()
    weights.prepare(Settings())
    precision = choose(Settings().precision)
    folder = WORK / f"enlarged-{Plan().fingerprint(f'{device()} {precision} {given.free}')}"
    is_whole = (given.size, given.preset, given.pairs, given.free) == (LARGE, DEFAULT_PRESET, len(CHOSEN), FREE)
    _say(f"{device()}, convolutions in {precision}; the worst cut, and how many of the uncut lines stand out as much\n")
    _say("| pair | pixels | seconds | memory, GiB | worst cut | lines like it | mesh, small | mesh, large | composition | photograph's |")
    _say("|---|---|---|---|---|---|---|---|---|---|")
    rows = []
    for pair in CHOSEN[: given.pairs]:
        (small, _), (large, how) = (_painted(folder, pair, side, given.preset, given.free) for side in (SMALL, given.size))
        _say(_line(pair, small, large, how, resolve(given.preset, {"size": given.size})))
        rows += [list(_whole(pair, small, large)), list(_details(pair, small, large))]
    output = given.output or (SHEET if is_whole else folder / SHEET.name)
    save(laid_out(rows), output)
    _say(f"\nwritten to {output}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.enlarged", description=__doc__)
    parser.add_argument("--size", type=int, default=LARGE, help="longer side of the large pictures in pixels (default: %(default)s)")
    parser.add_argument("--preset", default=DEFAULT_PRESET, choices=[name for name in PRESETS if PRESETS[name].params.iterations])
    parser.add_argument("--pairs", type=int, default=len(CHOSEN), choices=range(1, len(CHOSEN) + 1), metavar="N", help="of %(default)s")
    parser.add_argument(
        "--free", type=float, metavar="GB", help=f"memory to paint within (default: {FREE:g}, and beyond {LARGE} pixels in proportion)"
    )
    parser.add_argument("--output", type=Path, help="the sheet; that of a try goes beside its records by default")
    given = parser.parse_args()
    if given.size <= SMALL:
        parser.error(f"a large picture has more than {SMALL} pixels, received {given.size}")
    try:
        resolve(given.preset, {"size": given.size})
    except ParameterErrors as error:
        parser.error(str(error))
    given.free = given.free or FREE * max(1.0, (given.size / LARGE) ** 2)
    return given


def _painted(folder: Path, pair: tuple[str, str], side: int, preset: str, free: float) -> tuple[Pixels, Painted]:
    """Return a picture and how it was painted: as kept, or painted now by a process of its own."""
    path = folder / f"{'-'.join(pair)}-{side}-{preset}.png"
    if not path.with_suffix(".json").exists():
        # Ctrl-C ends the process that paints without a word: this one has something to say.
        quiet = signal.SIGINT, signal.SIG_DFL
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), signal.signal, quiet) as pool:
            pixels, painted = pool.submit(paint, pair, side, preset, free).result()
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        # Last: it tells that both are there.
        files.write(path.with_suffix(".json"), json.dumps(asdict(painted)).encode(), private=False)
    return np.asarray(Image.open(path).convert("RGB")), Painted(**json.loads(path.with_suffix(".json").read_text()))


def paint(pair: tuple[str, str], side: int, preset: str, free: float) -> tuple[Pixels, Painted]:
    """Paint one pair with a warm engine of this process, as where so many GB of memory are free."""
    engines.free_bytes = lambda: round(free * 1e9)
    engine = engines.Engine(Settings())
    engine.warm_up()
    content, params = photograph(pair[0]), resolve(preset, {"size": side})
    commission = Commission.of(content, painting(pair[1]), params)
    planned = engine.plan(commission)
    began = time.perf_counter()
    made = engine.stylize(commission, lambda _: None)
    return to_uint8(made), Painted(time.perf_counter() - began, peak_bytes(), planned.tile)


def _line(pair: tuple[str, str], small: Pixels, large: Pixels, how: Painted, params: StyleParams) -> str:
    content = photograph(pair[0])
    rows, columns = cuts(content, params, how.tile)
    worst = worst_seam(large, rows, columns) if rows or columns else None
    cells = (
        " × ".join(pair),
        f"{large.shape[1]} × {large.shape[0]}",
        f"{how.seconds:.0f}",
        f"{how.peak_bytes / 2**30:.2f}",
        f"{worst.prominence:.2f}" if worst else "–",
        f"{worst.alike} of {worst.uncut}" if worst else "–",
        f"{mesh(small):.2f}",
        f"{mesh(large):.2f}",
        f"{composition(small, large):.3f}",
        f"{composition(content, large):.3f}",
    )
    return f"| {' | '.join(cells)} |"


def composition(small: Pixels, large: Pixels) -> float:
    """Return the correlation, −1 to 1, of two pictures of the same proportions: of their luminance at 64 pixels."""
    planes = [luminance(to_uint8(shrink(one, *pyramid.sides(*small.shape[:2], _COMPOSED)))) for one in (small, large)]
    return float(np.corrcoef(*(plane.ravel() for plane in planes))[0, 1])


def cuts(content: Pixels, params: StyleParams, tile: int) -> tuple[list[int], list[int]]:
    """Return the rows and columns of the finished picture where the last scale was cut, at any of its levels.

    Args:
        tile: largest side of a tile's core.
    """
    frame = pyramid.frame(*content.shape[:2], params)
    scale = pyramid.scales(frame, params)[-1]
    rows, columns = set(), set()
    for level in range(scale.levels):
        height, width, margin = scale.height >> level, scale.width >> level, halo(deepest(scale, level, params.content_layer))
        # Loss and gradient are made in one piece where that is no larger than a window; features of the photograph are not.
        if scale.style_layers(level) == STYLE_LAYERS or is_cut(height, width, tile, margin):
            for window in windows(height, width, tile, margin):
                rows.add((window.rows.begin << level) - frame.top)
                columns.add((window.columns.begin << level) - frame.left)
    return sorted(row for row in rows if 0 < row < frame.height), sorted(column for column in columns if 0 < column < frame.width)


def _whole(pair: tuple[str, str], small: Pixels, large: Pixels) -> Iterator[Image.Image]:
    """Yield both sources and both pictures."""
    yield from (card(pixels, label) for pixels, label in ((photograph(pair[0]), pair[0]), (painting(pair[1]), pair[1])))
    yield from (card(picture, f"{max(picture.shape[:2])} pixels") for picture in (small, large))


def _details(pair: tuple[str, str], small: Pixels, large: Pixels) -> Iterator[Image.Image]:
    """Yield the middle and the flattest part of both pictures, the large one pixel for pixel."""
    content, sides = photograph(pair[0]), [max(picture.shape[:2]) for picture in (small, large)]
    for name, (top, left) in (("middle", (0.5, 0.5)), ("flattest part", _flattest(content, large.shape[:2]))):
        for picture, side in zip((small, large), sides, strict=True):
            ratio = side / sides[-1]
            width, height = (round(length * ratio) for length in SIZE)
            y, x = (round(at * (whole - part)) for at, whole, part in zip((top, left), picture.shape[:2], (height, width), strict=True))
            yield card(picture[y : y + height, x : x + width], f"{name}, {side} pixels")


def _flattest(content: Pixels, shape: tuple[int, int]) -> tuple[float, float]:
    """Return where the card-sized part of a picture of this shape begins in which the photograph varies least, as shares of the room for it."""
    plane = luminance(to_uint8(shrink(content, *shape)))
    steps = np.linspace(0.0, 1.0, 9)
    spare = shape[0] - SIZE[1], shape[1] - SIZE[0]

    def spread(at: tuple[float, float]) -> float:
        y, x = (round(part * room) for part, room in zip(at, spare, strict=True))
        return float(plane[y : y + SIZE[1], x : x + SIZE[0]].std())

    return min(((float(top), float(left)) for top in steps for left in steps), key=spread)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        _say("Stopped. What is painted is kept; the same command goes on from there.")
        raise SystemExit(130) from None
