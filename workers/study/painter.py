"""What stylises the pictures of a study: AdaIN, one pass a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.hypothesis import HypothesisSpec
from app.core.specs import StyleParams
from workers.style.engine import Engine

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Painter:
    """``paint`` turns content and style, uint8 RGB, into a picture; ``name`` says all else that decides its pixels."""

    name: str
    paint: Callable[[Pixels, Pixels], Pixels]


def adain(engine: Engine, spec: HypothesisSpec) -> Painter:
    """Return AdaIN at the spec's size and strength."""
    params = StyleParams(size=spec.size, iterations=())
    facts = engine.facts()
    name = repr(("adain", params.size, spec.strength, sorted(facts["weights"].items()), facts["precision"]))
    return Painter(name, lambda content, style: engine.instant(content, style, params, spec.strength))
