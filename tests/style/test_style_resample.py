from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from workers.style.resample import lanczos, resize, shrink, to_uint8


@pytest.mark.parametrize(("source", "target"), [(96, 48), (50, 73), (64, 64), (33, 10)])
def test_resizes_as_pillow_does(source: int, target: int) -> None:
    row = np.random.default_rng(1).random((source, 1), np.float32)
    expected = np.asarray(Image.fromarray(np.repeat(row, 8, axis=1)).resize((8, target), Image.Resampling.LANCZOS))[:, :1]
    np.testing.assert_allclose(lanczos(source, target) @ row, expected, atol=2e-5)


def test_resize_works_on_both_axes_and_each_channel() -> None:
    picture = np.random.default_rng(2).random((24, 40, 3), np.float32)
    expected = np.stack(
        [np.asarray(Image.fromarray(np.ascontiguousarray(picture[..., c])).resize((20, 31), Image.Resampling.LANCZOS)) for c in range(3)],
        -1,
    )
    np.testing.assert_allclose(resize(picture, 31, 20), expected, atol=2e-5)


def test_a_flat_picture_stays_flat() -> None:
    assert np.allclose(resize(np.full((17, 29, 3), 0.25, np.float32), 40, 11), 0.25, atol=1e-6)


def test_halving_removes_what_would_alias() -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2
    halved = resize(np.repeat(board[..., None], 3, axis=2).astype(np.float32), 32, 32)
    assert np.abs(halved[4:-4, 4:-4] - 0.5).max() < 0.02


def test_pixels_become_floats_and_back() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (12, 9, 3), np.uint8)
    np.testing.assert_array_equal(to_uint8(shrink(pixels, 12, 9)), pixels)
    np.testing.assert_array_equal(to_uint8(np.array([[[-0.5, 0.5, 1.5]]], np.float32)), [[[0, 128, 255]]])
