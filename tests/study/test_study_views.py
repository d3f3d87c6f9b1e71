"""Augmented views: always the same of one picture, and within what they promise."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from workers.study.views import VIEWS, cropped, flipped, jittered, view

CAT = skimage.data.chelsea()


def test_the_first_view_is_the_picture_and_the_others_are_always_the_same_and_differ() -> None:
    views = [view(CAT, number) for number in range(VIEWS)]
    assert views[0] is CAT
    for number in range(1, VIEWS):
        np.testing.assert_array_equal(views[number], view(CAT.copy(), number))
    assert len({one.tobytes() for one in views}) == VIEWS


def test_another_picture_is_changed_otherwise() -> None:
    assert view(CAT, 1).shape != view(np.ascontiguousarray(CAT[::-1]), 1).shape


@pytest.mark.parametrize("seed", range(20))
def test_a_crop_is_a_part_of_the_picture(seed: int) -> None:
    picture = np.arange(60 * 90 * 3, dtype=np.int64).reshape(60, 90, 3)
    part = cropped(picture, np.random.default_rng(seed))
    height, width = part.shape[:2]
    assert 0.34 <= height * width / (60 * 90) <= 1
    assert 0.74 <= (width / 90) / (height / 60) <= 1.36
    top, left = divmod(int(part[0, 0, 0]) // 3, 90)
    np.testing.assert_array_equal(part, picture[top : top + height, left : left + width])


def test_half_of_the_pictures_are_mirrored() -> None:
    rng = np.random.default_rng(0)
    mirrored = sum(flipped(CAT, rng)[0, 0].tolist() == CAT[0, -1].tolist() for _ in range(200))
    assert 70 < mirrored < 130


def test_jitter_keeps_a_grey_picture_grey_and_within_its_bounds() -> None:
    grey = np.full((8, 8, 3), 100, np.uint8)
    values = {int(jittered(grey, np.random.default_rng(seed))[0, 0, 0]) for seed in range(40)}
    assert min(values) >= 60 - 1
    assert max(values) <= 140 + 1
    assert len(values) > 10
    assert all(len(set(jittered(grey, np.random.default_rng(seed))[0, 0].tolist())) == 1 for seed in range(10))
