"""What a picture needs of memory, planned before it is begun: arithmetic, on the safe side of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from app.core.errors import EngineError

# Of the network on a window, forward and backward, for each of its pixels: activations that
# the gradient needs, and what the widest layer needs besides. Half of it in bfloat16.
WINDOW_BYTES = 2400
# Of a painting, whose statistics need no gradient, half of that; and for each of its pixels the picture itself while it is
# resized, and what says which part of it is taken.
_PAINTING_SHARE = 2
PAINTING_BYTES = 26
# Pictures, gradients, masks and content features of all levels, and the state while it is written, for each pixel of the canvas.
CANVAS_BYTES = 600
# A pair of L-BFGS: two float32 RGB vectors.
PAIR_BYTES = 24
# Graphs, compiled convolutions and targets, whatever the size.
FIXED_BYTES = 400 * 2**20
# Beyond its core a window reaches at most this far: relu5_2 sees 86 pixels around it.
HALO = 96
# Cuts lie on multiples of this.
_GRID = 16
# Where memory is ample: a level that is not cut takes two thirds of the time, its forward pass being run once. Ample is
# twice what is needed, and a window is never larger than this: a step has to answer, and other programs have to live, too.
_ROOMY = ((2048, 15), (1536, 15))
_AMPLE = 2
_LARGEST_WINDOW = 3_600_000_000
# In order of preference. Smaller tiles cost time, the halo being run again for each; a shorter memory costs iterations.
_CHOICES = (*tuple((tile, history) for history in (15, 10, 7, 5) for tile in (1024, 768, 512)), (512, 3), (256, 5), (256, 3), (128, 3))
# What is advised where a size does not fit. Among them are those up to which AdaIN is shown more and more: 724 and its doubles.
SIZES = (128, 256, 384, 512, 724, 768, 1024, 1448, 1536, 2048, 2896, 3072)


@dataclass(frozen=True)
class Canvas:
    """What is worked on for a picture of one size.

    Attributes:
        size: longer side of the finished picture, in pixels.
        height, width: of the canvas at full size, in pixels, the margin included.
        painting: height and width of the largest painting as it is looked at at full size.
        uncut: pixels of what AdaIN is shown of it, in one piece.
    """

    size: int
    height: int
    width: int
    painting: tuple[int, int] = (0, 0)
    uncut: int = 0


@dataclass(frozen=True)
class Plan:
    """How a picture is worked on.

    Attributes:
        tile: largest side of a tile's core, in pixels; what is larger is cut up.
        history: pairs that L-BFGS remembers.
        needed: bytes, beyond what the process holds before it begins.
    """

    tile: int
    history: int
    needed: int


def plan(canvas: Canvas, smaller: Iterable[Canvas] = (), *, half: bool, free: int, begun: int = 0, roomy: bool = False) -> Plan:
    """Return how to work on a canvas within the free memory.

    Args:
        smaller: those of the sizes to advise where this one does not fit, the smallest first.
        half: whether the network runs in bfloat16.
        free: bytes, see ``free_bytes``.
        begun: bytes of a state that is in memory already: where there was room for its run, there is room to go on with it.
        roomy: whether windows are in the memory that ``free`` is of, so that they may be larger where it is ample.

    Raises:
        EngineError: nothing fits; says which size would.
    """
    found = _fitting(canvas, half=half, free=free)
    if found:
        return (roomy and _spacious(canvas, half=half, free=free)) or found
    least = smallest(canvas, half=half)
    if least.needed <= free + begun:
        return least
    # Up to the first that does not fit: whoever is told a size may choose a smaller one.
    fit = [one.size for one in takewhile(lambda one: _fitting(one, half=half, free=free), smaller)]
    advice = f"Choose a size of at most {fit[-1]} pixels." if fit else "Close other programs, or give it more memory."
    raise EngineError(
        f"There is not enough memory for a picture this large: it takes {least.needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free."
        f" {advice} Received: {canvas.size} pixels."
    )


def smallest(canvas: Canvas, *, half: bool) -> Plan:
    """Return the plan that takes the least; ``half`` as for ``plan``."""
    return Plan(*_CHOICES[-1], need(canvas, *_CHOICES[-1], half=half))


def need(canvas: Canvas, tile: int, history: int, *, half: bool) -> int:
    """Return the bytes that a canvas takes when worked on with this ``Plan.tile`` and ``Plan.history``."""
    pixels = canvas.height * canvas.width * (CANVAS_BYTES + history * PAIR_BYTES)
    return FIXED_BYTES + _window(canvas, tile, half=half) + pixels + canvas.painting[0] * canvas.painting[1] * PAINTING_BYTES


def window_pixels(height: int, width: int, tile: int) -> int:
    """Return how many pixels the windows have at most in which a picture, its half, its quarter … are worked on, halo included.

    A picture is cut into tiles of nearly the same size, so that a window may be far smaller than
    the largest tile; and its half, where that is not cut, may be larger than any window of the whole.
    """
    whole = height * width
    if whole <= (tile + 2 * HALO) ** 2:
        return whole
    return max(_span(height, tile) * _span(width, tile), window_pixels(height // 2, width // 2, tile))


def _span(side: int, tile: int) -> int:
    count = -(-side // tile)
    # The first and the last have a halo on one side alone.
    return min(side, -(-side // count // _GRID) * _GRID + min(2, count - 1) * HALO)


def free_bytes(root: Path = Path("/")) -> int:
    """Return how much memory this process may still take: what the machine has, or less where a control group around it says so.

    Args:
        root: where ``proc`` and ``sys`` are; on systems without them the answer is a machine of 8 GB.
    """
    found = []
    meminfo = root / "proc/meminfo"
    if meminfo.is_file():
        found += [int(line.split()[1]) * 1024 for line in meminfo.read_text().splitlines() if line.startswith("MemAvailable:")]
    for group, (most, used) in _groups(root):
        limit, usage = _number(group / most), _number(group / used)
        if limit is not None and usage is not None:
            # What of it is only a file's copy is given back when it is needed.
            found.append(limit - usage + _inactive(group / "memory.stat"))
    return max(0, min(found, default=8 * 2**30))


def _fitting(canvas: Canvas, choices: Iterable[tuple[int, int]] = _CHOICES, *, half: bool, free: int) -> Plan | None:
    plans = (Plan(*choice, need(canvas, *choice, half=half)) for choice in choices)
    return next((one for one in plans if one.needed <= free), None)


def _spacious(canvas: Canvas, *, half: bool, free: int) -> Plan | None:
    """Return the plan with the largest windows, where memory is ample for them."""
    choices = (choice for choice in _ROOMY if _window(canvas, choice[0], half=half) <= _LARGEST_WINDOW)
    return _fitting(canvas, choices, half=half, free=free // _AMPLE)


def _window(canvas: Canvas, tile: int, *, half: bool) -> int:
    """Return the bytes that the network takes on the largest window of a canvas, or of a painting."""
    shown = max(window_pixels(*canvas.painting, tile), canvas.uncut)
    return max(window_pixels(canvas.height, canvas.width, tile), shown // _PAINTING_SHARE) * WINDOW_BYTES // (2 if half else 1)


def _groups(root: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Yield the folders of this process's memory control group and of all around it, with the names of limit and usage."""
    own = root / "proc/self/cgroup"
    lines = own.read_text().splitlines() if own.is_file() else []
    # As "0::/path" in version 2, as "4:memory:/path" in version 1.
    paths = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}
    first = next((path for controllers, path in paths.items() if "memory" in controllers.split(",")), "/")
    for folder, path, names in (
        ("sys/fs/cgroup", paths.get("", "/"), ("memory.max", "memory.current")),
        ("sys/fs/cgroup/memory", first, ("memory.limit_in_bytes", "memory.usage_in_bytes")),
    ):
        mounted = root / folder
        # Within a container the path may be the host's, or lead out of what is mounted: the mounted one is the container's own.
        group = mounted.joinpath(*(part for part in path.split("/") if part not in ("", "..")))
        yield from ((one, names) for one in (group, *group.parents) if one.is_relative_to(mounted))


def _number(path: Path) -> int | None:
    text = path.read_text().strip() if path.is_file() else ""
    return int(text) if text.isdigit() else None


def _inactive(path: Path) -> int:
    lines = path.read_text().splitlines() if path.is_file() else []
    found = dict(line.split() for line in lines)
    # Of version 1 the former is a group's own alone, while its usage is that of all within it.
    return int(found.get("total_inactive_file", found.get("inactive_file", 0)))
