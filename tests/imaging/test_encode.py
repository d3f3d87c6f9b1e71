from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from app.imaging import encode

RNG = np.random.default_rng(5)
NOISE = RNG.integers(0, 256, (60, 90, 3), dtype=np.uint8)
Y, X = np.mgrid[:60, :90]
SMOOTH = np.stack([X * 2, Y * 4, 255 - X * 2], axis=-1).astype(np.uint8)


def test_png_is_lossless() -> None:
    np.testing.assert_array_equal(encode.read_rgb(encode.png(NOISE)), NOISE)
    np.testing.assert_array_equal(encode.read_rgb(encode.png(NOISE[::-1, ::2])), NOISE[::-1, ::2])


def test_jpeg_keeps_colour_at_full_resolution() -> None:
    data = encode.jpeg(SMOOTH)
    assert np.abs(encode.read_rgb(data).astype(int) - SMOOTH).mean() < 2
    with Image.open(io.BytesIO(data)) as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3


def test_preview_is_small_even_of_noise() -> None:
    data = encode.preview(RNG.integers(0, 256, (512, 512, 3), dtype=np.uint8))
    assert len(data) <= 1.6 * encode.PREVIEW_BYTES
    coarse = np.kron(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
    assert len(encode.preview(coarse)) <= encode.PREVIEW_BYTES


def test_preview_keeps_colour_at_full_resolution_while_there_is_room() -> None:
    with Image.open(io.BytesIO(encode.preview(SMOOTH))) as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3


def test_preview_is_reduced_not_cropped() -> None:
    wide = np.zeros((600, 1200, 3), np.uint8)
    wide[:, 600:] = 200
    small = encode.read_rgb(encode.preview(wide))
    assert small.shape == (256, 512, 3)
    assert small[128, 100].max() < 10
    assert small[128, 400].min() > 190


@pytest.mark.parametrize("pixels", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
def test_other_arrays_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="received"):
        encode.png(pixels)
