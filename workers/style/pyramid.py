"""At which sizes a picture is worked on: from coarse to fine, each with a margin that is cut off at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.core.errors import PictureError
from app.core.specs import MAX_ASPECT, MIN_SIDE, STYLE_LAYERS, StyleParams, base_side
from workers.style.resample import Picture

# The network sees zeros beyond the border and paints a thin frame there: into this margin.
# A wider one draws style away from the picture to where nobody sees it.
MARGIN = 4
# AdaIN's decoder works on blocks of 8 pixels.
_MULTIPLE = 8
# What the largest level of an enlarged picture is compared in: colours, texture, small strokes. The large ones and the
# content are the same at its half, where they cost a quarter.
FINE_LAYERS = STYLE_LAYERS[:3]
# Below these a level of the objective says nothing about brush strokes, and relu5_1 has hardly a pixel.
_LEVEL_LONGER, _LEVEL_SHORTER = 96, 32


@dataclass(frozen=True)
class Frame:
    """The finished picture's sides, and those of the canvas around it."""

    height: int
    width: int
    canvas_height: int
    canvas_width: int

    @property
    def top(self) -> int:
        return (self.canvas_height - self.height) // 2

    @property
    def left(self) -> int:
        return (self.canvas_width - self.width) // 2

    def pad(self, picture: Picture) -> Picture:
        """Return ``picture``, (height, width, 3), mirrored outwards to the canvas."""
        below, right = self.canvas_height - self.height - self.top, self.canvas_width - self.width - self.left
        return np.pad(picture, ((self.top, below), (self.left, right), (0, 0)), mode="symmetric")

    def crop(self, canvas: Picture) -> Picture:
        """Return the finished picture's part of a full-size canvas."""
        return canvas[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class Scale:
    """One scale of the refinement.

    Attributes:
        side: longer side of the picture, without the margin.
        height, width: of the canvas at this scale.
        levels: how many sizes the objective looks at: this one, its half, its quarter …
        iterations: planned here.
        fine: the picture itself is only looked at for small strokes, ``FINE_LAYERS``; its half sees to the rest.
    """

    side: int
    height: int
    width: int
    levels: int
    iterations: int
    fine: bool = False

    def style_layers(self, level: int) -> tuple[str, ...]:
        """Return in what a level is compared with the paintings; it is compared with the content only where these are all."""
        return FINE_LAYERS if self.fine and level == 0 else STYLE_LAYERS


def sides(height: int, width: int, longer: int) -> tuple[int, int]:
    """Return (height, width) with the same proportions and ``longer`` as the longer side."""
    ratio = longer / max(height, width)
    return max(1, round(height * ratio)), max(1, round(width * ratio))


def painted_sides(pixels: np.ndarray, longer: int) -> tuple[int, int]:
    """Return (height, width) of a painting that is looked at with ``longer`` as its longer side: relu5_1 needs ``MIN_SIDE`` pixels."""
    height, width = sides(*pixels.shape[:2], longer)
    return max(MIN_SIDE, height), max(MIN_SIDE, width)


def check(pixels: np.ndarray, field: str) -> None:
    """Raise unless ``pixels`` is a picture that the network can make something of.

    Raises:
        PictureError: not uint8 RGB, a side under ``MIN_SIDE`` pixels, or one over ``MAX_ASPECT`` times the other.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise PictureError(f"A picture is uint8 of shape (height, width, 3). Received: {pixels.dtype} {pixels.shape}.", field=field)
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise PictureError(f"Each side needs at least {MIN_SIDE} pixels. Received: {width} × {height}.", field=field)
    if max(height, width) > MAX_ASPECT * min(height, width):
        raise PictureError(f"One side may be at most {MAX_ASPECT} times the other. Received: {width} × {height}.", field=field)


def doublings(params: StyleParams) -> int:
    """Return how often the base, which AdaIN and ``iterations`` work at, is doubled until it is full size."""
    return (params.size // base_side(params.size)).bit_length() - 1


def frame(height: int, width: int, params: StyleParams) -> Frame:
    """Return the frame of a photograph of this size.

    A picture larger than its base has the base's canvas, enlarged with its margin: so a
    small picture promises what the large one will be.
    """
    height, width = (params.size, params.size) if params.aspect == "square" else sides(height, width, params.size)
    times = 1 << doublings(params)
    smallest, step = MIN_SIDE * times * 2 ** max(0, len(params.iterations) - 1), _MULTIPLE * times
    return Frame(height, width, *(max(smallest, -(-(side + 2 * MARGIN * times) // step) * step) for side in (height, width)))


def base(frame: Frame, params: StyleParams) -> tuple[int, int]:
    """Return the base's canvas (height, width): sides are multiples of 8."""
    return frame.canvas_height >> doublings(params), frame.canvas_width >> doublings(params)


def scales(frame: Frame, params: StyleParams) -> list[Scale]:
    """Return the scales from coarse to fine, each half of the next: ``iterations`` up to the base, ``enlarging`` at each beyond."""
    if not params.iterations:
        return []
    planned = (*params.iterations, *[params.enlarging] * doublings(params))
    found = []
    for iterations, power in zip(planned, range(len(planned) - 1, -1, -1), strict=True):
        height, width = frame.canvas_height >> power, frame.canvas_width >> power
        levels = _levels(frame, power, params.levels)
        fine = power < doublings(params) and levels > 1
        found.append(Scale(params.size >> power, height, width, levels, iterations, fine))
    return found


def _levels(frame: Frame, power: int, wanted: int) -> int:
    longer, shorter = max(frame.height, frame.width) >> power, min(frame.canvas_height, frame.canvas_width) >> power
    levels = 1
    while levels < wanted and longer >> levels >= _LEVEL_LONGER and shorter >> levels >= _LEVEL_SHORTER:
        levels += 1
    return levels
