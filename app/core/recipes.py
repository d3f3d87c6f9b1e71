"""How a training picture of the detector is made: a recipe as data, and how recipes are drawn at random."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.specs import STYLE_LAYERS, StyleParams

if TYPE_CHECKING:
    import numpy as np

GeneratorName = Literal["adain", "optimiser"]


class Recipe(BaseModel):
    """Everything that decides a stylised training picture, besides its content and style.

    Attributes:
        generator: ``adain`` is one pass of the decoder, ``optimiser`` a descent on the picture itself.
        params: as of a job; AdaIN uses the size, shape and style scale.
        alpha: of AdaIN, how much of the style is blended into the features.
        padding, pooling: of VGG19 in the optimiser's objective.
        ratio: width and height in whole numbers that the content is cropped to, so that the
            optimiser's graphs serve many pictures; None keeps the picture whole.
        keep_colour: the content's hues are put back over the stylised brightness.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generator: GeneratorName
    params: StyleParams
    alpha: float = Field(1.0, ge=0, le=1)
    padding: Literal["zero", "reflect"] = "zero"
    pooling: Literal["avg", "max"] = "avg"
    ratio: tuple[int, int] | None = None
    keep_colour: bool = False

    @property
    def cost(self) -> float:
        """Work, in evaluations of VGG19 at 256 × 256; an estimate, for the time left."""
        narrow = min(self.ratio) / max(self.ratio) if self.ratio else 0.8
        pixels = (self.params.size / 256) ** 2 * narrow
        scales = enumerate(reversed(self.params.iterations))
        wide = sum(0.25**level for level in range(self.params.levels))
        return pixels * (1.0 + wide * sum(count * 0.25**power for power, count in scales))


@dataclass(frozen=True)
class Way:
    """One configuration of the optimiser: what its graph depends on."""

    padding: Literal["zero", "reflect"]
    pooling: Literal["avg", "max"]
    size: int
    ratio: tuple[int, int]
    scales: int
    levels: int
    content_layer: Literal["relu3_2", "relu4_2", "relu5_2"]


# Every choice that published systems differ in appears in several company.
WAYS = (
    Way("zero", "avg", 256, (4, 3), 2, 3, "relu4_2"),
    Way("zero", "avg", 320, (4, 3), 1, 1, "relu4_2"),
    Way("zero", "max", 256, (1, 1), 1, 1, "relu4_2"),
    Way("reflect", "max", 256, (3, 4), 1, 1, "relu4_2"),
    Way("reflect", "avg", 288, (4, 3), 2, 1, "relu4_2"),
    Way("zero", "avg", 256, (1, 1), 1, 1, "relu5_2"),
    Way("zero", "max", 320, (3, 2), 2, 1, "relu4_2"),
    Way("reflect", "max", 320, (4, 3), 2, 3, "relu4_2"),
    Way("zero", "avg", 256, (3, 2), 3, 1, "relu4_2"),
    Way("zero", "max", 256, (4, 3), 1, 1, "relu3_2"),
)


def draw_adain(rng: np.random.Generator) -> Recipe:
    """Return AdaIN at a random size from 256 to 512, style scale and strength."""
    params = StyleParams(
        size=16 * int(rng.integers(16, 33)),
        aspect="square" if rng.random() < 0.15 else "keep",
        style_scale=_log_uniform(rng, 0.5, 2.0),
        iterations=(),
    )
    alpha = 1.0 if rng.random() < 0.5 else round(float(rng.uniform(0.5, 1.0)), 3)
    return Recipe(generator="adain", params=params, alpha=alpha, keep_colour=bool(rng.random() < 0.1))


def draw_optimiser(rng: np.random.Generator) -> Recipe:
    """Return the optimiser with random strength, length, start, weights, padding and pooling."""
    way = WAYS[int(rng.integers(len(WAYS)))]
    start = str(rng.choice(["adain", "content", "noise"], p=[0.35, 0.4, 0.25]))
    optimiser = "adam" if rng.random() < 0.3 else "lbfgs"
    length = _log_uniform(rng, 10, 50) * (2.2 if optimiser == "adam" else 1) * (1.4 if start == "noise" else 1)
    chosen: dict[str, Any] = {
        "size": way.size,
        "iterations": [round(length * 1.5**power) for power in range(way.scales - 1, -1, -1)],
        "levels": way.levels,
        "content_layer": way.content_layer,
        "init": start,
        "optimiser": optimiser,
        "learning_rate": _log_uniform(rng, 0.01, 0.05),
        "strength": _log_uniform(rng, 0.3, 5.0),
        "style_scale": _log_uniform(rng, 0.6, 1.6),
        "tv": _log_uniform(rng, 1.0, 60.0) if rng.random() < 0.3 else 0.0,
        "seed": int(rng.integers(2**31)),
    }
    if rng.random() < 0.5:
        # Networks that are not normalised weigh their layers very differently.
        chosen |= {f"style_{layer}": round(min(10.0, math.exp(rng.normal(0, 0.9))), 3) for layer in STYLE_LAYERS}
    if rng.random() < 0.2:
        chosen[f"style_{STYLE_LAYERS[int(rng.integers(len(STYLE_LAYERS)))]}"] = 0.0
    return Recipe(
        generator="optimiser",
        params=StyleParams(**chosen),
        padding=way.padding,
        pooling=way.pooling,
        ratio=way.ratio,
        keep_colour=bool(rng.random() < 0.1),
    )


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(math.exp(rng.uniform(math.log(low), math.log(high)))), 3)
