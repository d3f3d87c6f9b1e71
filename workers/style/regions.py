"""Where in the picture each painting rules, and where in a painting its style is taken from: soft masks, as each layer sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.commission import Style
from app.core.errors import PictureError
from app.core.specs import STYLE_LAYERS
from workers.nets.vgg19 import Pooling, stride
from workers.style.pyramid import Frame
from workers.style.resample import Picture, resize
from workers.style.tiles import extent

Mask = NDArray[np.float32]


@dataclass(frozen=True)
class Regions:
    """The regions of one level.

    Attributes:
        masks: for each style layer float32 (regions, h, w), the layer's own size.
        shares: float32 (regions,), each region's mean: the part of the picture it has.
    """

    masks: list[Mask]
    shares: Mask

    @property
    def positions(self) -> list[Mask]:
        """For each layer the sums of its masks, float32 (regions,), never zero."""
        return [np.maximum(mask.sum(axis=(1, 2), dtype=np.float64), 1e-6).astype(np.float32) for mask in self.masks]


def canvas_masks(styles: Sequence[Style], frame: Frame) -> Mask | None:
    """Return the paintings' masks on the canvas, (styles, height, width), or None where no painting has one.

    A painting without a mask rules everywhere. Where the masks sum to more than 1 they are
    divided by their sum; where they sum to less, nothing takes the rest: there only the
    content is followed.
    """
    if all(style.mask is None for style in styles):
        return None
    masks = np.stack([_on_canvas(style.mask, frame) for style in styles])
    return masks / np.maximum(masks.sum(axis=0), 1.0)


def shares(styles: Sequence[Style], frame: Frame, height: int, width: int) -> Mask:
    """Return how much of each painting there is at each place of a canvas of this size, (height, width, styles), at most 1 together.

    With masks it is they that decide, as in ``canvas_masks``; without, the paintings' weights.
    """
    masks = canvas_masks(styles, frame)
    if masks is None:
        weights = np.array([style.weight for style in styles], np.float32)
        return np.broadcast_to(weights / weights.sum(), (height, width, len(styles)))
    return np.clip(resize(np.ascontiguousarray(masks.transpose(1, 2, 0)), height, width), 0.0, 1.0)


def on_canvas(mask: Mask, frame: Frame) -> Picture:
    """Return a mask of any size, float32 (h, w) in [0, 1], stretched over the picture, with the margin: (height, width, 1)."""
    return frame.pad(stretched(mask, frame.height, frame.width))


def stretched(mask: Mask, height: int, width: int) -> Picture:
    """Return a mask of any size, float32 (h, w) in [0, 1], over a picture of this one: (height, width, 1)."""
    return np.clip(resize(np.asarray(mask, np.float32)[..., None], height, width), 0.0, 1.0)


def check_part(part: Mask | None) -> None:
    """Raise unless there is something in the part of a painting that its style is taken from.

    Raises:
        PictureError: it is empty.
    """
    if part is not None and not part.any():
        raise PictureError("Nothing of the painting is marked as the part to paint like. Mark some of it.", field="style")


def regions(masks: Mask, height: int, width: int, pooling: Pooling) -> Regions:
    """Return the regions of the level of this size.

    Args:
        masks: float32 (regions, canvas height, canvas width), see ``canvas_masks``.
    """
    level = np.clip(resize(np.ascontiguousarray(masks.transpose(1, 2, 0)), height, width), 0.0, 1.0)
    found = [np.ascontiguousarray(seen(level, layer, pooling).transpose(2, 0, 1)) for layer in STYLE_LAYERS]
    return Regions(found, level.mean(axis=(0, 1)))


def seen(level: Picture, layer: str, pooling: Pooling) -> Picture:
    """Return masks (height, width, masks) as ``layer`` sees them: their mean over each of its cells.

    What is left of a side at its end, less than a cell, counts with the last one.
    """
    if stride(layer) == 1:
        return level
    means = level
    for axis in range(2):
        begins = np.arange(extent(level.shape[axis], layer, pooling)) * stride(layer)
        sizes = np.diff(begins, append=level.shape[axis]).astype(np.float32)
        means = np.add.reduceat(means, begins, axis=axis) / np.expand_dims(sizes, (1 - axis, 2))
    return means


def _on_canvas(mask: Mask | None, frame: Frame) -> Mask:
    if mask is None:
        return np.ones((frame.canvas_height, frame.canvas_width), np.float32)
    return on_canvas(mask, frame)[..., 0]
