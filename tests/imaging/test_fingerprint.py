from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from app.imaging.fingerprint import NEAR, distances, fingerprint, near_pairs

PICTURES = {"astronaut": data.astronaut(), "coffee": data.coffee(), "chelsea": data.chelsea(), "rocket": data.rocket()}


def apart(one: np.ndarray, other: np.ndarray) -> int:
    return (fingerprint(one) ^ fingerprint(other)).bit_count()


def test_bits_by_hand() -> None:
    # Nine columns of brightness: five rises, then three falls; the same in all eight rows.
    grey = np.array([0, 20, 40, 60, 80, 100, 90, 80, 70], np.uint8)
    pixels = np.repeat(np.repeat(np.tile(grey, (8, 1))[..., None], 3, axis=2), 4, axis=0)
    assert fingerprint(pixels) == 0x1F1F1F1F1F1F1F1F
    # Mirrored: three rises, then five falls.
    assert fingerprint(pixels[:, ::-1]) == 0x0707070707070707


@pytest.mark.parametrize("name", list(PICTURES))
def test_a_copy_in_another_size_or_quality_is_near(name: str) -> None:
    pixels = PICTURES[name]
    image = Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    assert apart(pixels, np.array(Image.open(buffer))) <= NEAR
    assert apart(pixels, np.array(image.resize((image.width // 2, image.height // 2)))) <= NEAR
    assert min(apart(pixels, other) for key, other in PICTURES.items() if key != name) > 2 * NEAR


def test_distances_count_the_bits_that_differ() -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.integers(0, 2**64, count, dtype=np.uint64, endpoint=False) for count in (5, 7))
    expected = [[(int(a) ^ int(b)).bit_count() for b in other] for a in one]
    assert distances(one, other).tolist() == expected
    assert distances(np.array([0], np.uint64), np.array([2**64 - 1], np.uint64)).tolist() == [[64]]


def test_near_pairs_are_those_of_a_slow_loop_each_once_and_in_order() -> None:
    rng = np.random.default_rng(1)
    # More than are compared at a time, many of them a few bits from an earlier one.
    prints = [int(one) for one in rng.integers(0, 2**63, 400)]
    prints += [one ^ sum(1 << int(bit) for bit in rng.choice(64, rng.integers(0, 8), replace=False)) for one in prints[:250]]
    slow = [(a, b, (prints[a] ^ prints[b]).bit_count()) for a in range(len(prints)) for b in range(a + 1, len(prints))]
    expected = [pair for pair in slow if pair[2] <= NEAR]
    assert 50 < len(expected) < 250
    assert list(near_pairs(np.array(prints, np.uint64))) == expected
    assert list(near_pairs(np.array([], np.uint64))) == []
