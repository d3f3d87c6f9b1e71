"""Finishing: the photograph's colours or its share, put to a painted picture at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.finish import Finish

Picture = NDArray[np.float32]

# The Y of YIQ: ITU-R BT.601, section 2.5.1, of values with their gamma.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_ROWS = 256


def finished(picture: Picture, photograph: Picture, finish: Finish) -> Picture:
    """Return the picture with the colours that are asked for, then blended with the photograph.

    Args:
        picture: float32 sRGB (height, width, 3) in [0, 1], as painted.
        photograph: the same shape and range.

    Returns:
        float32 (height, width, 3) in [0, 1]; ``picture`` itself where nothing is asked for.

    Raises:
        ValueError: pictures of different shapes.
    """
    if picture.shape != photograph.shape:
        raise ValueError(f"expected a photograph of shape {picture.shape}, received {photograph.shape}")
    if finish == Finish():
        return picture
    done = np.empty_like(picture)
    # A few rows at a time: what stands in between would be several times the picture.
    for top in range(0, len(picture), _ROWS):
        rows = slice(top, top + _ROWS)
        painted = picture[rows]
        if finish.colours == "photograph":
            painted = recoloured(painted, photograph[rows])
        strength = np.float32(finish.strength)
        done[rows] = painted if finish.strength == 1 else strength * painted + (1 - strength) * photograph[rows]
    return done


def recoloured(picture: Picture, photograph: Picture) -> Picture:
    """Return the picture's luminance with the photograph's colours.

    Luminance-only transfer of Gatys, Ecker, Bethge, Hertzmann and Shechtman, "Controlling
    Perceptual Factors in Neural Style Transfer", CVPR 2017, section 5.1, in their YIQ space:
    Y from one, I and Q from the other. Departure: where that is no colour a screen has, I and Q
    are brought nearer to grey by one factor, so that luminance and hue are kept, which clipping
    would not.

    Args:
        picture, photograph: float32 sRGB (height, width, 3) in [0, 1].

    Returns:
        float32 (height, width, 3) in [0, 1].
    """
    luma = (picture @ LUMA)[..., None]
    # A colour less its luma is the part that I and Q hold.
    chroma = photograph - (photograph @ LUMA)[..., None]
    highest, lowest = chroma.max(axis=-1, keepdims=True), chroma.min(axis=-1, keepdims=True)
    tiny = np.float32(1e-6)
    room = np.minimum((1 - luma) / np.maximum(highest, tiny), luma / np.maximum(-lowest, tiny))
    done: Picture = np.clip(luma + np.minimum(room, 1) * chroma, 0.0, 1.0)
    return done
