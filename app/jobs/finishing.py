"""A job's finished picture as it is asked for: its strength, its colours, its size and its kind of file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.core.finish import Finish
from app.core.specs import StyleParams
from app.imaging import encode
from app.imaging.deep import Picture
from app.imaging.finish import finished
from app.infra.blobs import Blobs
from app.jobs import pictures
from app.jobs.hands import Hands
from app.jobs.models import Job

Format = Literal["jpeg", "png", "png16", "tiff"]
# Suffix, and what browsers call it.
FILES: dict[Format, tuple[str, str]] = {
    "jpeg": ("jpg", "image/jpeg"),
    "png": ("png", "image/png"),
    "png16": ("png", "image/png"),
    "tiff": ("tif", "image/tiff"),
}
ENCODERS: dict[Format, Callable[[Picture, Picture | None], bytes]] = {
    "jpeg": lambda picture, alpha: encode.jpeg(encode.rgb(picture)),
    "png": lambda picture, alpha: encode.png(encode.rgb(picture), alpha=alpha),
    "png16": encode.png16,
    "tiff": encode.tiff16,
}
# Pairs of small pictures at hand while somebody moves a slider: 6 MB each at 1024 pixels, 25 at 2048.
_AT_HAND = 6
# Pairs have one of these longer sides, so that asking for ever other sizes finds the same pair.
_SIDES = (1024, 2048)
# Finishing a picture of 4096 pixels takes several arrays of 200 MB: so many pictures at once, so many more
# that wait, and whoever waits longer than this many seconds is sent away for a moment.
_HANDS = Hands(2, 4, "Several pictures are being finished at this moment. Try again in some seconds.")
_WAIT = 8.0

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def usual(job: Job) -> Finish:
    """Return how the job's picture is finished where nobody asks for anything else."""
    return Finish.usual(StyleParams.model_validate(job.params))


def whole(blobs: Blobs, job: Job, finish: Finish) -> tuple[Picture, Picture | None]:
    """Return the finished picture at full depth and size, float32 (height, width, 3) in [0, 1], and the photograph's alpha if it had one."""
    picture, _ = encode.read_float(blobs.get(_result(job)))
    height, width = picture.shape[:2]
    alpha = None
    if pictures.ALPHA in job.inputs:
        stored = blobs.get(pictures.stored_key(job, pictures.input_name(pictures.ALPHA)))
        alpha = alpha_of(encode.read_rgb(stored), height, width)
    return picture if finish == Finish() else finished_on(picture, _photograph(blobs, job), finish), alpha


def finished_on(picture: Picture, photograph: NDArray[np.uint8], finish: Finish) -> Picture:
    """Return ``finished`` with a photograph of any size, uint8 RGB."""
    height, width = picture.shape[:2]
    return finished(picture, _shrunk(photograph, width, height).astype(np.float32) / np.float32(255), finish)


def alpha_of(stored: NDArray[np.uint8], height: int, width: int) -> Picture:
    """Return the alpha of a result, float32 (height, width) in [0, 1], from that of its photograph, uint8 grey as RGB."""
    return _shrunk(stored, width, height)[..., 0].astype(np.float32) / np.float32(255)


def look_at(blobs: Blobs, job: Job) -> NDArray[np.uint8]:
    """Return the picture as it is finished where nobody asks for anything else, uint8 RGB (height, width, 3)."""
    return encode.rgb(whole(blobs, job, usual(job))[0])


def hand() -> AbstractContextManager[None]:
    """Wait for a free hand, and hold it for the block.

    Raises:
        Unavailable: too many pictures are being finished.
    """
    return _HANDS.one(_WAIT)


def file(blobs: Blobs, job: Job, finish: Finish, kind: Format) -> bytes:
    """Return the finished picture as a file without a receipt; JPEG has no alpha. Where many may ask, it takes a hand."""
    if kind == "png16" and finish == Finish() and pictures.ALPHA not in job.inputs:
        stored = blobs.get(_result(job))
        if encode.is_deep(stored):
            return stored
    return ENCODERS[kind](*whole(blobs, job, finish))


class SmallPictures:
    """Finished pictures to look at, quick while the same job is asked for again and again."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._pairs: OrderedDict[tuple[str, str, int], Pair] = OrderedDict()
        self._lock = Lock()

    def jpeg(self, job: Job, finish: Finish, side: int) -> bytes:
        """Return the picture with a longer side of at most ``side`` and 2048, as JPEG.

        Raises:
            Unavailable: too many pictures are being finished.
        """
        pair = self._pair(job, next((one for one in _SIDES if one >= side), _SIDES[-1]))
        painted, photograph = (_within(pixels, side).astype(np.float32) / np.float32(255) for pixels in pair)
        return encode.quick_jpeg(encode.rgb(finished(painted, photograph, finish)))

    def _pair(self, job: Job, side: int) -> Pair:
        if (pair := self._at_hand(job, side)) is not None:
            return pair
        with hand():
            # Whoever held the hand before may have made this very pair.
            if (pair := self._at_hand(job, side)) is not None:
                return pair
            painted = _within(encode.read_rgb(self._blobs.get(_result(job))), side)
            height, width = painted.shape[:2]
            return self._keep(job, side, (painted, _shrunk(_photograph(self._blobs, job), width, height)))

    def _at_hand(self, job: Job, side: int) -> Pair | None:
        """Return the pair, made of a larger one where that is at hand: the page shows the picture before anyone moves a slider."""
        with self._lock:
            found = next((key for one in _SIDES if one >= side and (key := (job.id, str(job.result), one)) in self._pairs), None)
            if found is None:
                return None
            self._pairs.move_to_end(found)
            painted, photograph = self._pairs[found]
        if found[2] == side:
            return painted, photograph
        return self._keep(job, side, (_within(painted, side), _within(photograph, side)))

    def _keep(self, job: Job, side: int, pair: Pair) -> Pair:
        with self._lock:
            self._pairs[job.id, str(job.result), side] = pair
            while len(self._pairs) > _AT_HAND:
                self._pairs.popitem(last=False)
        return pair


def _result(job: Job) -> str:
    return pictures.key(job.id, str(job.result))


def _photograph(blobs: Blobs, job: Job) -> NDArray[np.uint8]:
    return encode.read_rgb(blobs.get(pictures.stored_key(job, pictures.input_name("content"))))


def _within(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    return _shrunk(pixels, max(1, round(width * scale)), max(1, round(height * scale)))


def _shrunk(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0))
