from __future__ import annotations

import numpy as np
import pytest
from skimage import data
from skimage.metrics import structural_similarity

from bench.waffle import waffle
from workers.style.grid import CELL, without_grid
from workers.style.resample import Picture, to_uint8

SHAPE = (160, 240)


def _pattern(seed: int) -> Picture:
    """Return any pattern that repeats itself every ``CELL`` pixels, as large as a picture, its mean 0."""
    cell = np.random.default_rng(seed).normal(size=(CELL, CELL, 3)).astype(np.float32)
    return np.tile(cell - cell.mean(axis=(0, 1)), (SHAPE[0] // CELL, SHAPE[1] // CELL, 1))


def _ramp() -> Picture:
    down, across = np.meshgrid(*(np.linspace(0.2, 0.8, side, dtype=np.float32) for side in SHAPE), indexing="ij")
    return np.stack([down, across, (down + across) / 2], axis=-1)


@pytest.mark.parametrize("seed", range(3))
def test_what_repeats_itself_in_every_cell_is_taken_out(seed: int) -> None:
    found = without_grid(_ramp() + 0.05 * _pattern(seed))
    assert found.dtype == np.float32 and found.shape == (*SHAPE, 3)
    assert np.abs(found - _ramp()).mean() < 0.05 * 0.05, "a twentieth of the pattern, which is 0.05 strong"


def test_a_grid_that_changes_along_the_picture_is_taken_out_as_well() -> None:
    strength = np.linspace(0.0, 0.1, SHAPE[1], dtype=np.float32)[None, :, None]
    painted = _ramp() + strength * _pattern(0)
    before, after = (np.abs(picture - _ramp()).mean() for picture in (painted, without_grid(painted)))
    assert after < 0.1 * before


def test_light_and_shade_stay_as_they_are() -> None:
    assert np.abs(without_grid(_ramp()) - _ramp()).max() < 1 / 255
    one = np.full((*SHAPE, 3), 0.4, np.float32)
    np.testing.assert_allclose(without_grid(one), one, atol=1e-6)


@pytest.mark.parametrize("wavelength", [16, 40, 100, 200])
def test_waves_larger_than_a_cell_stay_as_they_are(wavelength: int) -> None:
    across = np.arange(800) * (2 * np.pi / wavelength)
    wave = np.broadcast_to((0.5 + 0.1 * np.sin(across)).astype(np.float32)[None, :, None], (*SHAPE[:1], 800, 3))
    change = np.abs(without_grid(wave) - wave)
    assert change[:, 200:-200].max() < 0.5 / 255


def test_a_photograph_hardly_changes() -> None:
    picture = data.astronaut() / np.float32(255)
    assert structural_similarity(without_grid(picture), picture, channel_axis=-1, data_range=1.0) > 0.98


def test_the_grid_does_not_stand_out_any_more() -> None:
    content = np.full((*SHAPE, 3), 128, np.uint8)
    noise = np.random.default_rng(1).normal(0, 0.05, (*SHAPE, 3))
    painted = (0.5 + noise + 0.03 * _pattern(2)).astype(np.float32)
    before, after = (waffle(to_uint8(picture), content) for picture in (painted, without_grid(painted)))
    assert before is not None and after is not None
    assert before > 6 and after < 1
