from __future__ import annotations

import numpy as np
import pytest

from app.core.specs import resolve
from bench.enlarged import composition, cuts
from bench.pictures import photograph
from workers.style.resample import resize, to_uint8


def test_an_enlarged_picture_has_the_composition_of_the_small_one_and_its_mirror_image_has_not() -> None:
    small = photograph("rocket")
    large = to_uint8(resize(small.astype(np.float32) / 255, *(2 * side for side in small.shape[:2])))
    assert composition(small, large) > 0.999
    assert composition(small, large[:, ::-1]) < 0.9


def test_a_picture_no_larger_than_a_tile_has_no_cuts() -> None:
    assert cuts(photograph("rocket"), resolve("default", {"size": 960}), 1024) == ([], [])


def test_cuts_are_those_of_the_largest_level_and_of_its_half() -> None:
    # By hand: a canvas of 2080 × 1408 in three times two cores of 704, with 16 and 21 pixels that are cut off. Its half is
    # 1040 pixels wide: one piece for the loss, two cores of 528 for the features of the photograph.
    rows, columns = cuts(photograph("rocket"), resolve("default", {"size": 2048}), 1024)
    assert (rows, columns) == ([704 - 21], [704 - 16, 2 * 528 - 16, 2 * 704 - 16])


def test_a_cut_in_the_margin_is_none_of_the_picture() -> None:
    # By hand: of a canvas of 912 pixels 15 are cut off above the picture, and the last of eight cores of 128 begins at 896.
    params = resolve("default", {"size": 881})
    content = np.zeros((881, 600, 3), np.uint8)
    rows, columns = cuts(content, params, 128)
    assert max(rows) < 881 and max(columns) < 600


@pytest.mark.parametrize("tile", [512, 256])
def test_smaller_tiles_are_cut_at_more_places(tile: int) -> None:
    few, many = (cuts(photograph("rocket"), resolve("default", {"size": 2048}), each) for each in (1024, tile))
    assert all(len(one) < len(other) for one, other in zip(few, many, strict=True))
