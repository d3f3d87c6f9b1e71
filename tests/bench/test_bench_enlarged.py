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


def test_a_picture_in_one_piece_has_no_cuts() -> None:
    assert cuts(photograph("rocket"), resolve("default", {"size": 1024}), 1024) == ([], [])


def test_cuts_are_those_of_the_largest_level_and_of_its_half() -> None:
    # By hand: a canvas of 2080 × 1408 in three times two cores of 704, with a margin of 16 and 21 pixels; its half is one piece.
    rows, columns = cuts(photograph("rocket"), resolve("default", {"size": 2048}), 1024)
    assert (rows, columns) == ([704 - 21], [704 - 16, 2 * 704 - 16])


@pytest.mark.parametrize("tile", [512, 256])
def test_smaller_tiles_are_cut_at_more_places(tile: int) -> None:
    few, many = (cuts(photograph("rocket"), resolve("default", {"size": 2048}), each) for each in (1024, tile))
    assert all(len(one) < len(other) for one, other in zip(few, many, strict=True))
