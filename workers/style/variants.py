"""Pictures by recipe: the engine with other paddings and poolings, AdaIN at part strength, colours kept."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.core.commission import Commission
from app.core.config import Settings
from app.core.progress import Progress
from app.core.recipes import Recipe
from workers.nets.vgg19 import Padding, Pooling
from workers.style.engine import Engine
from workers.style.resample import to_uint8


class Variants:
    """One engine for each padding and pooling, made when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines: dict[tuple[Padding, Pooling], Engine] = {}

    def paint(self, content: NDArray[np.uint8], style: NDArray[np.uint8], recipe: Recipe) -> NDArray[np.uint8]:
        """Return ``content`` stylised as ``recipe`` says.

        Args:
            content, style: uint8 RGB of shape (height, width, 3), sides at least 32 pixels.
            recipe: padding, pooling and everything else.

        Errors as for ``Engine.stylize``.
        """
        engine = self._engine(recipe.padding, recipe.pooling)
        if recipe.generator == "adain":
            picture = engine.instant(content, style, recipe.params, recipe.alpha)
        else:
            picture = to_uint8(engine.stylize(Commission.of(content, style, recipe.params), _unheard))
        return keep_colour(content, picture) if recipe.keep_colour else picture

    def _engine(self, padding: Padding, pooling: Pooling) -> Engine:
        key = padding, pooling
        if key not in self._engines:
            self._engines[key] = Engine(self._settings, padding=padding, pooling=pooling)
        return self._engines[key]


def keep_colour(content: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ``picture``'s brightness with the hues of ``content``, resized to it.

    Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer", 2017, section 5.1:
    luminance from one picture, chrominance from the other. Not as ``app.imaging.finish`` does it,
    but as whoever makes such pictures with common tools: in Y and CbCr, clipped.

    Args:
        content, picture: uint8 RGB (h, w, 3) of any two sizes.
    """
    height, width = picture.shape[:2]
    _, blue, red = Image.fromarray(content).resize((width, height), Image.Resampling.LANCZOS).convert("YCbCr").split()
    bright = Image.fromarray(picture).convert("YCbCr").getchannel(0)
    return cast("NDArray[np.uint8]", np.array(Image.merge("YCbCr", (bright, blue, red)).convert("RGB")))


def _unheard(_: Progress) -> None:
    """The making counts whole pictures."""
