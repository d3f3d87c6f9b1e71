"""What is seen of a canvas: without its margin, with the photograph where it is protected, whole or as a preview."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.style.pyramid import Frame
from workers.style.regions import on_canvas
from workers.style.resample import Picture, cut, resize, to_uint8

# Longer side of a preview. One is made at every step: at full size it would cost as much as a step at a coarse scale.
PREVIEW = 512


class Showing:
    """Shows the canvases of one picture, whatever scale they are of."""

    def __init__(self, frame: Frame, photograph: Picture, protect: NDArray[np.float32] | None) -> None:
        """Prepare both sizes.

        Args:
            frame: of the finished picture.
            photograph: the full canvas, float32 (canvas height, canvas width, 3) in [0, 1].
            protect: float32 (h, w) in [0, 1] of any size, where the photograph stays as it is; None nowhere.
        """
        ratio = min(1.0, PREVIEW / max(frame.height, frame.width))
        self._frame, self._size = frame, (round(frame.height * ratio), round(frame.width * ratio))
        high, wide = frame.canvas_height, frame.canvas_width
        self._part = (frame.top / high, (frame.top + frame.height) / high, frame.left / wide, (frame.left + frame.width) / wide)
        self._kept = None if protect is None else (frame.crop(photograph), frame.crop(on_canvas(protect, frame)))
        self._kept_small = self._kept and tuple(resize(one, *self._size) for one in self._kept)

    def whole(self, canvas: Picture) -> Picture:
        """Return the picture at full size, float32 (height, width, 3) in [0, 1]."""
        full = resize(canvas, self._frame.canvas_height, self._frame.canvas_width)
        return np.clip(_kept(self._frame.crop(full), self._kept), 0.0, 1.0)

    def preview(self, canvas: Picture) -> NDArray[np.uint8]:
        """Return the picture as uint8, at most ``PREVIEW`` pixels long."""
        if self._size == (self._frame.height, self._frame.width):
            return to_uint8(self.whole(canvas))
        return to_uint8(_kept(cut(canvas, self._part, *self._size), self._kept_small))


def _kept(seen: Picture, kept: tuple[Picture, ...] | None) -> Picture:
    if kept is None:
        return seen
    photograph, protect = kept
    return protect * photograph + (1 - protect) * seen
