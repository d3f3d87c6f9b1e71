"""Augmented views of a picture, as SimCLR takes them: crop, flip and colour jitter."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

Pixels = NDArray[np.uint8]

# Views of each picture, the first being the picture as it is.
VIEWS = 4
_LEAST_AREA, _MOST_AREA = 0.35, 1.0
_LEAST_ASPECT, _MOST_ASPECT = 3 / 4, 4 / 3
_JITTER = 0.4
_TRIES = 10


def view(pixels: Pixels, number: int) -> Pixels:
    """Return view ``number`` of a picture: 0 is the picture itself, any other always the same random change of it.

    Chen et al., "A Simple Framework for Contrastive Learning", 2020, appendix A, with milder
    crops (from 35 % of the area), no blur and no loss of colour: a style is texture and colour.

    Args:
        pixels: uint8 RGB (height, width, 3).
        number: from 0. The change depends on it and on the pixels alone, so that features of views can be cached.

    Returns:
        uint8 RGB; smaller than ``pixels`` for views other than 0.
    """
    if number == 0:
        return pixels
    rng = np.random.default_rng([number, zlib.crc32(np.ascontiguousarray(pixels).data)])
    return jittered(flipped(cropped(pixels, rng), rng), rng)


def cropped(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a random part, 35 to 100 % of the area, sides in a ratio of 3:4 to 4:3 times the picture's own."""
    height, width = pixels.shape[:2]
    for _ in range(_TRIES):
        area = rng.uniform(_LEAST_AREA, _MOST_AREA)
        aspect = np.exp(rng.uniform(np.log(_LEAST_ASPECT), np.log(_MOST_ASPECT)))
        h, w = round(height * np.sqrt(area / aspect)), round(width * np.sqrt(area * aspect))
        if 1 <= h <= height and 1 <= w <= width:
            top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
            return pixels[top : top + h, left : left + w]
    return pixels


def flipped(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return the picture, or its mirror image, with equal chances."""
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def jittered(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return the picture with brightness, contrast and saturation each multiplied by 0.6 to 1.4, in random order."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    changes = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    for place in rng.permutation(len(changes)):
        image = changes[place](image).enhance(rng.uniform(1 - _JITTER, 1 + _JITTER))
    return np.asarray(image)
