"""What ``StyleParams.colours`` asks for before any painting, or in place of it."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from app.core.commission import Commission, Style
from app.core.progress import OnProgress, Progress, StopRequested
from app.imaging.colours import Statistics, matched, mixture, statistics
from workers.style import pyramid
from workers.style.regions import stretched
from workers.style.resample import Picture, resize, shrink, to_uint8


def prepared(commission: Commission) -> Commission:
    """Return the commission with each painting in the photograph's range of colours, where ``matched`` is asked for."""
    if commission.params.colours != "matched":
        return commission
    target = statistics(commission.content)
    styles = tuple(replace(style, pixels=to_uint8(matched(style.pixels, target, _own(style)))) for style in commission.styles)
    return replace(commission, styles=styles)


def recolour(commission: Commission, on_progress: OnProgress) -> Picture:
    """Return the photograph in the paintings' colours, without their brush work: no network runs.

    Args:
        commission: several paintings give the mean and covariance of their mixture; masks of
            paintings are left aside, what is protected stays.
        on_progress: told of the beginning and of the finished picture. May raise StopRequested.

    Returns:
        float32 RGB in [0, 1], longer side ``params.size``.
    """
    begun = time.monotonic()

    def tell(stage: str, fraction: float, preview: Picture | None = None) -> None:
        shown = None if preview is None else to_uint8(preview)
        on_progress(Progress(stage, commission.params.size, 0, 0, fraction, None, time.monotonic() - begun, None, shown))

    frame = pyramid.frame(*commission.content.shape[:2], commission.params)
    photograph = shrink(commission.content, frame.height, frame.width)
    picture = photograph
    try:
        tell("prepare", 0.0)
        # Not by way of eight bits: stretched colours of a picture with sixteen would show steps.
        picture = np.clip(resize(matched(commission.content, _colours_of(commission)), frame.height, frame.width), 0.0, 1.0)
        if commission.protect is not None:
            kept = stretched(commission.protect, frame.height, frame.width)
            picture = kept * photograph + (1 - kept) * picture
        tell("finish", 1.0, picture)
    except StopRequested:
        pass
    return picture


def _colours_of(commission: Commission) -> Statistics:
    return mixture([_own(style) for style in commission.styles], [style.weight for style in commission.styles])


def _own(style: Style) -> Statistics:
    """Return the painting's own colours: those of the part that its style is taken from."""
    part = None if style.part is None else stretched(style.part, *style.pixels.shape[:2])[..., 0]
    return statistics(style.pixels, part)
