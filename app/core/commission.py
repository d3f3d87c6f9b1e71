"""What the engine is asked for: a photograph, one or more paintings, parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.specs import StyleParams

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Style:
    """A painting to paint like.

    Attributes:
        pixels: uint8 RGB (height, width, 3), of any size; keeps its own proportions.
        weight: its share among the paintings, above 0; shares are relative to one another.
        mask: where in the RESULT it rules: float32 (height, width) in [0, 1], of any size,
            stretched over the content. None: everywhere.
        part: where in the PAINTING its style is taken from, colours included: the same, stretched
            over the painting. None: all of it.
    """

    pixels: NDArray[np.uint8]
    weight: float = 1.0
    mask: NDArray[np.float32] | None = None
    part: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Commission:
    """One picture to be painted.

    Attributes:
        content: uint8 RGB (height, width, 3), sides at least 32 pixels.
        styles: the paintings, at least one.
        params: see ``StyleParams``; ``size`` is the longer side of the result.
        start: RGB (height, width, 3), uint8 or float32 in [0, 1], to begin from instead of
            ``params.init``: then only the scales larger than it are worked on, or the
            largest where none is.
        protect: where the photograph stays as it is: float32 (height, width) in [0, 1], of any
            size, stretched over the content; 1 is untouched. None: nowhere.
    """

    content: NDArray[np.uint8]
    styles: tuple[Style, ...]
    params: StyleParams
    start: NDArray[np.uint8] | NDArray[np.float32] | None = None
    protect: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, content: NDArray[np.uint8], style: NDArray[np.uint8], params: StyleParams) -> Commission:
        """Return the commission of one photograph in the style of one painting."""
        return cls(content, (Style(style),), params)
