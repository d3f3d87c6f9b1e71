"""Cutting a picture too large for the network's memory into windows that overlap as far as the network looks.

A feature depends on pixels up to the network's reach around it. Each window is a core with
a halo of at least that reach, so that inside the core every feature is exactly the whole
picture's; the cores share the picture out among them. Cuts lie on multiples of 16, the
coarsest grid of the poolings; at the picture's border a window ends where the picture does,
and so has the same padding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import tensorflow as tf

from workers.nets.vgg19 import LAYERS, Pooling, effort, stride

GRID = 16


# Told of each window that has been worked on, with its cost: pixels through forward and backward pass to relu5_1. May raise.
OnWindow = Callable[[float], None]
# Of the cost of both passes, the forward pass alone.
FORWARD = 0.5


def untold(_: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Span:
    """Along one axis, in pixels of the picture: the window from ``start`` to ``stop``, its core from ``begin`` to ``end``."""

    start: int
    begin: int
    end: int
    stop: int


@dataclass(frozen=True)
class Window:
    """A rectangle to run the network on, and the part of it that counts."""

    rows: Span
    columns: Span

    @property
    def pixels(self) -> tuple[slice, slice]:
        """The window's part of a picture (height, width, …)."""
        return slice(self.rows.start, self.rows.stop), slice(self.columns.start, self.columns.stop)

    @property
    def core(self) -> tuple[int, int, int, int]:
        """Top, bottom, left and right of the core, in pixels from the window's corner."""
        return (
            self.rows.begin - self.rows.start,
            self.rows.end - self.rows.start,
            self.columns.begin - self.columns.start,
            self.columns.end - self.columns.start,
        )

    @property
    def area(self) -> int:
        """Pixels of the window, halo included."""
        return (self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start)

    def features(self, layer: str, part: str) -> tuple[slice, slice]:
        """The ``window``'s or its ``core``'s part of the whole picture's features at ``layer``, (h, w, …)."""
        step = stride(layer)
        first, last = ("start", "stop") if part == "window" else ("begin", "end")
        rows, columns = (slice(getattr(span, first) // step, -(-getattr(span, last) // step)) for span in (self.rows, self.columns))
        return rows, columns


def halo(deepest: str) -> int:
    """Return how far beyond its own cell of the grid a feature at ``deepest`` looks, in pixels, rounded up to the grid.

    A 3×3 convolution at stride s adds s on each side; poolings stay within the cell.
    """
    reach = sum(stride(layer) for layer in LAYERS[: LAYERS.index(deepest) + 1])
    return -(-reach // GRID) * GRID


def is_cut(height: int, width: int, tile: int, margin: int) -> bool:
    """Tell whether a picture is more than one tile with its halo, so that it is worked on window by window."""
    return height * width > (tile + 2 * margin) ** 2


def cost(height: int, width: int, tile: int, deepest: str) -> float:
    """Return what one evaluation of loss and gradient costs, in pixels through forward and backward pass to relu5_1."""
    margin = halo(deepest)
    if not is_cut(height, width, tile, margin):
        return effort(deepest) * height * width
    return (1 + FORWARD) * effort(deepest) * sum(window.area for window in windows(height, width, tile, margin))


def windows(height: int, width: int, tile: int, margin: int) -> Iterator[Window]:
    """Yield the windows whose cores, about ``tile`` pixels a side and never more, cover (height, width) once.

    Args:
        height, width: of the picture.
        tile: largest side of a core, a multiple of 16.
        margin: the halo, a multiple of 16.
    """
    columns = list(_spans(width, tile, margin))
    for rows in _spans(height, tile, margin):
        for column in columns:
            yield Window(rows, column)


def _spans(side: int, tile: int, margin: int) -> Iterator[Span]:
    count = -(-side // tile)
    # Cores of the same size, so that nearly all windows have one shape.
    core = -(-side // count // GRID) * GRID
    for begin in range(0, side, core):
        end = min(begin + core, side)
        yield Span(max(0, begin - margin), begin, end, min(end + margin, side))


def extent(side: int, layer: str, pooling: Pooling) -> int:
    """Return how many features at ``layer`` a picture's side of this many pixels has: see ``VGG19.features``."""
    return side // stride(layer) if pooling == "avg" else -(-side // stride(layer))


def cut(features: tf.Tensor, layer: str, core: tf.Tensor) -> tf.Tensor:
    """Return the core's part of a window's features at ``layer``, (1, h, w, channels); ``core`` as ``Window.core``.

    By ``tf.slice``, whose gradient pads; that of a slice by its ends made a window's gradient half as slow again.
    """
    step, there = stride(layer), tf.shape(features)
    top, left = core[0] // step, core[2] // step
    bottom, right = tf.minimum(-(-core[1] // step), there[1]), tf.minimum(-(-core[3] // step), there[2])
    return tf.slice(features, [0, top, left, 0], [1, bottom - top, right - left, features.shape[-1]])
