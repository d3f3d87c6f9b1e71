"""Brush strokes: curved paths along a flow field, bristled, laid wet over each other, with a relief for the light.

Layers go from coarse to fine as in Hertzmann, "Painterly rendering with curved
brush strokes of multiple sizes" (1998); the relief follows his "Fast paint texture" (2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from fields import Field, jittered_hue
from scipy import ndimage

_BANK, _ALONG, _ACROSS = 48, 48, 96


@dataclass
class Brush:
    """How one layer is painted; lengths in pixels."""

    width: float
    length: float
    spacing: float  # distance between strokes
    opacity: float = 0.95
    hue: float = 0.03  # colour difference from stroke to stroke
    bristle: float = 0.25  # colour difference within a stroke
    dryness: float = 0.35  # how much the paint breaks up towards the end
    tolerance: float = 0.25  # a stroke ends where the reference differs more than this
    wobble: float = 0.15  # radians by which it leaves the flow
    relief: float = 1.0
    flat: bool = False  # a palette knife: straight ends, no taper


class Canvas:
    """Paint and its thickness."""

    def __init__(self, ground: Field, rng: np.random.Generator) -> None:
        self.colour = ground.copy()
        self.height = np.zeros(ground.shape[:2])
        self.rng = rng
        raw = rng.standard_normal((_BANK, _ALONG, _ACROSS))
        bristles = ndimage.gaussian_filter(raw, (0, 9, 1.4), mode="nearest")
        bristles /= bristles.std()
        self.bristles = np.clip(0.5 + 0.25 * bristles, 0, 1)

    def paint(self, reference: Field, flow: Field, brush: Brush, where: Field | None = None) -> None:
        """Cover the canvas once. ``flow`` holds the angle of the strokes; ``where`` (0..1) thins them out."""
        centres = _scattered(self.height.shape, brush.spacing, self.rng)
        if where is not None:
            y, x = centres.astype(int).T
            centres = centres[self.rng.random(len(centres)) < where[y, x]]
        y, x = centres.astype(int).T
        colours = jittered_hue(reference[y, x], self.rng, brush.hue)
        for path, colour in zip(self._paths(centres, reference, flow, brush), colours, strict=True):
            self.stroke(path, colour, brush)

    def _paths(self, centres: Field, reference: Field, flow: Field, brush: Brush) -> Field:
        """Follow the flow from each centre both ways: (n, points, 2)."""
        steps = 4
        lengths = brush.length * self.rng.uniform(0.6, 1.3, (len(centres), 1)) / (2 * steps)
        turn = self.rng.normal(0, brush.wobble, len(centres))
        bound = np.array(self.height.shape) - 1
        first = reference[tuple(centres.astype(int).T)]
        halves = []
        for sign in (-1.0, 1.0):
            at, alive, half = centres, np.ones(len(centres), bool), []
            for _ in range(steps):
                iy, ix = np.clip(at, 0, bound).astype(int).T
                angle = flow[iy, ix] + turn
                there = at + sign * lengths * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
                ty, tx = np.clip(there, 0, bound).astype(int).T
                alive = alive & (np.abs(reference[ty, tx] - first).max(axis=-1) < brush.tolerance)
                at = np.where(alive[:, None], there, at)
                half.append(at)
            halves.append(half)
        return np.stack([*halves[0][::-1], centres, *halves[1]], axis=1)

    def stroke(self, path: Field, colour: Field, brush: Brush) -> None:
        """Lay one stroke along ``path`` (points, 2), given as y and x."""
        half = brush.width / 2 * self.rng.uniform(0.75, 1.25)
        low = np.maximum(np.floor(path.min(axis=0) - half - 1), 0).astype(int)
        high = np.minimum(np.ceil(path.max(axis=0) + half + 2), self.height.shape).astype(int)
        if (high <= low).any():
            return
        window = (slice(low[0], high[0]), slice(low[1], high[1]))
        along, across = _coordinates(path, low, high)
        across = across / half
        texture = self.bristles[
            self.rng.integers(_BANK), (along * (_ALONG - 1)).astype(int), (np.clip(across * 0.5 + 0.5, 0, 1) * (_ACROSS - 1)).astype(int)
        ]
        edge = np.clip((1 - np.abs(across)) * half / 1.2, 0, 1)
        worn = np.clip((texture - brush.dryness * along**2) * 6 + 1.6 * (1 - brush.dryness), 0, 1)
        alpha = edge * worn * brush.opacity
        tint = colour + brush.bristle * (texture[..., None] - 0.5) * (0.35 + colour)
        self.colour[window] += (np.clip(tint, 0, 1) - self.colour[window]) * alpha[..., None]
        ridge = texture * 1.2 + 0.5 * np.clip(np.abs(across), 0, 1) ** 3
        if brush.flat:
            ridge = texture * 0.35 + 1.2 * np.clip(np.abs(across), 0, 1) ** 6 + 0.8 * along**6
        self.height[window] += (ridge * brush.relief - self.height[window]) * alpha


def _scattered(shape: tuple[int, int], spacing: float, rng: np.random.Generator) -> Field:
    """Jittered grid of centres in random order, at least one pixel inside."""
    y, x = np.mgrid[0 : shape[0] : spacing, 0 : shape[1] : spacing]
    centres = np.stack([y.ravel(), x.ravel()], axis=-1) + rng.uniform(-0.6, 0.6, (y.size, 2)) * spacing
    centres = np.clip(centres, 1, np.array(shape) - 2)
    rng.shuffle(centres)
    return centres


def _coordinates(path: Field, low: Field, high: Field) -> tuple[Field, Field]:
    """Return, for each pixel of the box, how far along the path it lies (0..1) and its signed distance from it."""
    y, x = np.mgrid[low[0] : high[0], low[1] : high[1]]
    start, step = path[:-1], np.diff(path, axis=0)
    square = (step**2).sum(axis=-1) + 1e-9
    py = y[None] - start[:, 0, None, None]
    px = x[None] - start[:, 1, None, None]
    sy, sx = step[:, 0, None, None], step[:, 1, None, None]
    t = np.clip((py * sy + px * sx) / square[:, None, None], 0, 1)
    gap = (py - t * sy) ** 2 + (px - t * sx) ** 2
    nearest = gap.argmin(axis=0)[None]
    side = np.take_along_axis(np.where(px * sy - py * sx < 0, -1.0, 1.0), nearest, 0)[0]
    along = (nearest[0] + np.take_along_axis(t, nearest, 0)[0]) / len(step)
    return along, side * np.sqrt(np.take_along_axis(gap, nearest, 0)[0])
