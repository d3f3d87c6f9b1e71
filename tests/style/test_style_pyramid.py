from __future__ import annotations

import numpy as np
import pytest

from app.core.errors import PictureError
from app.core.specs import STYLE_LAYERS, StyleParams, resolve
from workers.style import pyramid


def test_size_is_the_longer_side_and_proportions_are_kept() -> None:
    frame = pyramid.frame(600, 800, StyleParams(size=512))
    assert (frame.height, frame.width) == (384, 512)
    assert (pyramid.frame(800, 600, StyleParams(size=512)).width) == 384


def test_square_squeezes() -> None:
    frame = pyramid.frame(600, 800, resolve("paper"))
    assert (frame.height, frame.width) == (512, 512)


def test_canvas_has_a_margin_and_sides_of_whole_blocks() -> None:
    frame = pyramid.frame(333, 500, StyleParams(size=500))
    assert (frame.canvas_height, frame.canvas_width) == (344, 512)
    assert frame.top >= 4 and frame.left >= 4


def test_crop_undoes_pad_and_the_margin_mirrors() -> None:
    frame = pyramid.frame(40, 50, StyleParams(size=64))
    picture = np.random.default_rng(0).random((frame.height, frame.width, 3), np.float32)
    canvas = frame.pad(picture)
    assert canvas.shape == (frame.canvas_height, frame.canvas_width, 3)
    np.testing.assert_array_equal(frame.crop(canvas), picture)
    np.testing.assert_array_equal(canvas[frame.top - 1, frame.left :][: frame.width], picture[0])


def test_scales_double_up_to_full_size() -> None:
    params = StyleParams(size=512, iterations=(30, 20, 10))
    found = pyramid.scales(pyramid.frame(512, 512, params), params)
    assert [(s.side, s.height, s.width, s.iterations, s.levels) for s in found] == [
        (128, 130, 130, 30, 1),
        (256, 260, 260, 20, 2),
        (512, 520, 520, 10, 3),
    ]


def test_a_large_picture_has_the_scales_of_its_base_and_then_doubles() -> None:
    base, large = (StyleParams(size=size, iterations=(50, 20), enlarging=6) for size in (512, 2048))
    frames = [pyramid.frame(300, 400, params) for params in (base, large)]
    small, big = (pyramid.scales(frame, params) for frame, params in zip(frames, (base, large), strict=True))
    assert big[:2] == small
    assert [(s.side, s.iterations, s.levels, s.fine) for s in big[2:]] == [(1024, 6, 3, True), (2048, 6, 3, True)]
    assert not any(s.fine for s in small)
    # Where there is no half to see to the large strokes and the content, the picture itself does.
    alone = pyramid.scales(frames[1], large.model_copy(update={"levels": 1}))
    assert not any(s.fine for s in alone)
    assert [big[3].style_layers(level) for level in range(3)] == [STYLE_LAYERS[:3], STYLE_LAYERS, STYLE_LAYERS]
    assert pyramid.base(frames[1], large) == (frames[0].canvas_height, frames[0].canvas_width)
    assert frames[1].top >= 4 * pyramid.MARGIN
    assert pyramid.scales(frames[1], StyleParams(size=2048, iterations=())) == []


def test_one_level_looks_at_the_picture_alone() -> None:
    params = resolve("paper")
    assert [s.levels for s in pyramid.scales(pyramid.frame(512, 512, params), params)] == [1]


@pytest.mark.parametrize("shape", [(31, 200, 3), (200, 31, 3), (32, 257, 3)])
def test_pictures_too_small_or_too_thin_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(PictureError) as caught:
        pyramid.check(np.zeros(shape, np.uint8), "style")
    assert caught.value.field == "style"
    assert f"{shape[1]} × {shape[0]}" in caught.value.message


@pytest.mark.parametrize("picture", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64, 3), np.float32)])
def test_arrays_that_are_no_rgb_pictures_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(PictureError, match="uint8"):
        pyramid.check(picture, "content")


@pytest.mark.parametrize("shape", [(32, 256), (256, 32), (32, 32)])
@pytest.mark.parametrize("size", [64, 512])
def test_every_accepted_shape_leaves_the_network_enough_pixels(shape: tuple[int, int], size: int) -> None:
    pyramid.check(np.zeros((*shape, 3), np.uint8), "content")
    params = StyleParams(size=size, iterations=(1, 1))
    found = pyramid.scales(pyramid.frame(*shape, params), params)
    assert all(min(s.height, s.width) >> (s.levels - 1) >= 32 for s in found)
