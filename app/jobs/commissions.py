"""What a job asks the engine for, read from its row and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

import numpy as np
from numpy.typing import NDArray

from app.core.commission import Commission, Style
from app.core.specs import StyleParams
from app.imaging import encode
from app.imaging.deep import Picture
from app.imaging.finish import LUMA
from app.infra.blobs import Blobs
from app.jobs import pictures
from app.jobs.models import Job


def commission_of(blobs: Blobs, job: Job, start: Picture | None = None) -> Commission:
    """Return the job's commission.

    Args:
        start: the picture to begin from, where the job goes on from another's.
    """

    def pixels(role: str) -> NDArray[np.uint8]:
        return encode.read_rgb(blobs.get(pictures.stored_key(job, pictures.input_name(role))))

    weights = {role: float(facts["weight"]) for role, facts in job.inputs.items() if "weight" in facts}
    return composed(job.inputs, pixels, weights, StyleParams.model_validate(job.params), start)


def composed(
    roles: Container[str],
    pixels: Callable[[str], NDArray[np.uint8]],
    weights: Mapping[str, float],
    params: StyleParams,
    start: Picture | None = None,
) -> Commission:
    """Return the commission of pictures by role, see ``pictures.given``.

    Args:
        roles: the pictures that there are.
        pixels: returns one of them, uint8 RGB (height, width, 3).
        weights: of paintings; 1 where nothing is said.
        start: as for ``commission_of``.
    """

    def given(role: str) -> Picture | None:
        return region(pixels(role)) if role in roles else None

    styles = tuple(
        Style(pixels(role), weights.get(role, 1.0), mask=given(pictures.mask_of(role)), part=given(pictures.part_of(role)))
        for role in pictures.STYLES
        if role in roles
    )
    return Commission(pixels("content"), styles, params, start, given(pictures.PROTECT))


def region(pixels: NDArray[np.uint8]) -> Picture:
    """Return what a picture says of where: its luma, float32 (height, width) in [0, 1]."""
    light: Picture = pixels.astype(np.float32) @ (LUMA / np.float32(255))
    return np.clip(light, 0.0, 1.0)
