"""How many operations an evaluation of the objective takes, by formula, and how long the machine needs for as many."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from app.core.specs import STYLE_LAYERS
from workers.nets.manifest import VGG19_LAYERS
from workers.nets.vgg19 import stride

_TAPS = 9
# The network's own first layer: a 1×1 convolution from RGB to the channels it was trained on.
_INPUT = 3 * 3


@dataclass(frozen=True)
class Work:
    """Floating-point operations, a multiplication and an addition counted as two.

    Attributes:
        convolutions: in the precision chosen for the engine: convolutions and the gradient of Gram matrices.
        exact: in float32 whatever the precision: Gram matrices, and the step from RGB.
    """

    convolutions: float
    exact: float

    def __add__(self, other: Work) -> Work:
        return Work(self.convolutions + other.convolutions, self.exact + other.exact)

    @property
    def total(self) -> float:
        return self.convolutions + self.exact

    def seconds(self, precision: str, rates: Mapping[str, float]) -> float:
        """Return the least time it takes where products run at ``rates``, operations a second by precision."""
        return self.convolutions / rates[precision] + self.exact / rates["float32"]


def network(height: int, width: int, layers: Collection[str] = (*STYLE_LAYERS, "relu4_2"), grams: Collection[str] = STYLE_LAYERS) -> Work:
    """Return the work of one loss and its gradient with respect to a picture (height, width).

    Each layer up to the deepest of ``layers``: 2·9·channels in·channels out a position, and
    as much for the gradient. Each of ``grams``: 2·channels² a position, and as much again.
    """
    names = [f"relu{name}" for name, *_ in VGG19_LAYERS]
    deepest = max(names.index(layer) for layer in layers)
    work = Work(0.0, 2 * 2.0 * _INPUT * height * width)
    for name, (_, _, before, after) in zip(names[: deepest + 1], VGG19_LAYERS[: deepest + 1], strict=True):
        positions = (height // stride(name)) * (width // stride(name))
        work += Work(2 * 2.0 * _TAPS * before * after * positions, 0.0)
        if name in grams:
            work += Work(2.0 * after**2 * positions, 2.0 * after**2 * positions)
    return work


def evaluation(height: int, width: int, levels: int) -> Work:
    """Return the work of one evaluation of the objective: the canvas, its half, its quarter … as far as ``levels``."""
    work = Work(0.0, 0.0)
    for level in range(levels):
        work += network(height >> level, width >> level)
    return work
