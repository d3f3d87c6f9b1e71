"""Smooth random fields, colour ramps and light: what every sample painting is made of. Arrays are float, colours 0 to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

Field = NDArray[np.float64]


def noise(
    shape: tuple[int, int], scale: float, rng: np.random.Generator, octaves: int = 4, gain: float = 0.5, stretch: float = 1.0
) -> Field:
    """Return fractal value noise over 0..1, features about ``scale`` pixels; ``stretch`` lengthens them along x."""
    height, width = shape
    total = np.zeros(shape)
    for octave in range(octaves):
        step_y, step_x = max(scale / 2**octave, 1.0), max(scale * stretch / 2**octave, 1.0)
        grid = rng.standard_normal((int(height / step_y) + 4, int(width / step_x) + 4))
        y, x = np.mgrid[:height, :width]
        layer = ndimage.map_coordinates(grid, [y / step_y + 1, x / step_x + 1], order=3, mode="nearest")
        total += gain**octave * layer
    low, high = np.percentile(total, [0.5, 99.5])
    return np.clip((total - low) / (high - low), 0, 1)


def grid(shape: tuple[int, int]) -> tuple[Field, Field]:
    """Return y and x of each pixel, both 0 at the top left and 1 at the end of the longer side."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    return y / max(shape), x / max(shape)


def smoothstep(low: float, high: float, value: ArrayLike) -> Field:
    t = np.clip((np.asarray(value, float) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def rgb(code: str) -> Field:
    """Colour of a hexadecimal code such as ``"1f3a93"``."""
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) / 255


def ramp(value: ArrayLike, *codes: str) -> Field:
    """Colour picked along evenly spaced ``codes`` by ``value`` in 0..1."""
    stops = np.array([rgb(code) for code in codes])
    at = np.clip(np.asarray(value, float), 0, 1)
    return np.stack([np.interp(at, np.linspace(0, 1, len(stops)), stops[:, c]) for c in range(3)], axis=-1)


def over(under: Field, colour: Field, alpha: Field) -> Field:
    """Lay ``colour`` over ``under`` where ``alpha`` (height, width) is high."""
    return under + (colour - under) * alpha[..., None]


def multiply(under: Field, colour: Field, alpha: Field) -> Field:
    """Glaze with a transparent colour, as washes and inks do."""
    return under * (1 - alpha[..., None] * (1 - colour))


def displaced(picture: Field, dy: Field, dx: Field) -> Field:
    """Sample ``picture`` at offsets given in pixels."""
    y, x = np.mgrid[: dy.shape[0], : dy.shape[1]]
    planes = picture[..., None] if picture.ndim == 2 else picture
    out = np.stack(
        [ndimage.map_coordinates(planes[..., c], [y + dy, x + dx], order=1, mode="nearest") for c in range(planes.shape[-1])], axis=-1
    )
    return out[..., 0] if picture.ndim == 2 else out


def lit(picture: Field, height: Field, depth: float = 1.0, gloss: float = 0.15) -> Field:
    """Light a relief from the upper left: faces towards the light brighten, ridges shine a little."""
    dy, dx = np.gradient(height * depth)
    normal = 1 / np.sqrt(1 + dx * dx + dy * dy)
    facing = (-0.5 * dx * -1 + 0.6 * dy * 1) * normal
    shade = 1 - np.clip(facing, -0.6, 0.6) * 0.55
    shine = np.clip(-facing - 0.12, 0, 1) ** 2 * gloss * 3
    return np.clip(picture * shade[..., None] + shine[..., None], 0, 1)


def jittered_hue(colour: Field, rng: np.random.Generator, amount: float) -> Field:
    """Move each colour (n, 3) at random in all three channels and in brightness."""
    n = colour.shape[0]
    return np.clip(colour + rng.normal(0, amount, (n, 3)) + rng.normal(0, amount, (n, 1)), 0, 1)
