from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from PIL import Image

from app.core.specs import StyleParams
from workers.style import pyramid
from workers.style.resample import resize, shrink
from workers.style.showing import PREVIEW, Showing


@pytest.mark.parametrize("size", [96, 1200])
def test_a_preview_is_the_picture_at_most_512_pixels_long(size: int) -> None:
    coffee = skimage.data.coffee()
    frame = pyramid.frame(*coffee.shape[:2], StyleParams(size=size, iterations=()))
    canvas = frame.pad(shrink(coffee, frame.height, frame.width))
    showing = Showing(frame, canvas, None)
    small, whole = showing.preview(canvas), showing.whole(canvas)
    assert whole.shape == (frame.height, frame.width, 3)
    assert max(small.shape) == min(size, PREVIEW)
    expected = Image.fromarray(np.rint(whole * 255).astype(np.uint8)).resize(small.shape[1::-1], Image.Resampling.LANCZOS)
    assert np.abs(small.astype(float) - np.asarray(expected, float)).mean() < 1.0


def test_what_is_protected_is_seen_at_every_size() -> None:
    rng = np.random.default_rng(0)
    frame = pyramid.frame(80, 120, StyleParams(size=768, iterations=()))
    photograph = frame.pad(rng.random((frame.height, frame.width, 3), np.float32))
    left = np.zeros((1, 100), np.float32)
    left[:, :50] = 1
    coarse = np.full((frame.canvas_height // 2, frame.canvas_width // 2, 3), 0.25, np.float32)
    showing = Showing(frame, photograph, left)
    whole, small = showing.whole(coarse), showing.preview(coarse)
    np.testing.assert_allclose(whole[:, :360], frame.crop(photograph)[:, :360], atol=1e-6)
    np.testing.assert_allclose(whole[:, 410:], 0.25, atol=1e-5)
    blurred = resize(frame.crop(photograph), *small.shape[:2])
    assert np.abs(small[:, :230] / 255 - np.clip(blurred[:, :230], 0, 1)).mean() < 0.02
    assert np.abs(small[:, 280:].astype(int) - 64).max() <= 1
