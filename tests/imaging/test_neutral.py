from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from app.core.errors import PictureError
from app.imaging.neutral import SIDE, neutral


@pytest.mark.parametrize("shape", [(40, 700, 3), (299, 299, 3), (900, 300, 3), (1, 1, 3)])
def test_every_size_becomes_the_same(shape: tuple[int, int, int]) -> None:
    found = neutral(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    assert found.shape == (SIDE, SIDE, 3) and found.dtype == np.uint8


def test_the_whole_picture_is_there() -> None:
    picture = np.zeros((120, 240, 3), np.uint8)
    picture[:, :120, 0] = 255
    found = neutral(picture).astype(int)
    assert (found[:, :140, 0] > 200).all() and (found[:, 160:, 0] < 60).all()


def test_a_codec_before_leaves_little_trace() -> None:
    picture = data.astronaut()
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=92)
    coded = np.array(Image.open(buffer))
    before = np.abs(coded.astype(int) - picture).mean()
    after = np.abs(neutral(coded).astype(int) - neutral(picture)).mean()
    assert after < 0.75 * before


@pytest.mark.parametrize("wrong", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3)), np.zeros((0, 5, 3), np.uint8)])
def test_what_is_no_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(PictureError, match="Received: "):
        neutral(wrong)
