from __future__ import annotations

import numpy as np
import pytest

from bench.waffle import flat_windows, waffle

FLAT = np.full((160, 160, 3), 128, np.uint8)


def painted(amplitude: float, period: float, slope: float = 1.0, seed: int = 0) -> np.ndarray:
    """Brush work whose amplitude falls as 1/f^slope, with a grid of this period on it."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(160)[:, None], np.fft.fftfreq(160)[None, :])
    noise = np.fft.ifft2(np.fft.fft2(rng.standard_normal((160, 160))) / np.maximum(frequency, 1 / 160) ** slope).real
    y, x = np.mgrid[:160, :160]
    grid = np.cos(2 * np.pi * x / period) + np.cos(2 * np.pi * y / period)
    plane = 128 + 20 * noise / noise.std() + amplitude * grid
    return np.repeat(np.clip(plane, 0, 255)[..., None], 3, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_brush_work_without_a_grid_has_none_however_its_spectrum_falls(slope: float) -> None:
    found = [waffle(painted(0, 8, slope, seed), FLAT) for seed in range(6)]
    assert abs(float(np.mean(found))) < 1.5


@pytest.mark.parametrize("period", [8, 4])
def test_a_grid_of_the_decoder_stands_out_the_more_the_stronger_it_is(period: int) -> None:
    none, faint, strong = (waffle(painted(amplitude, period), FLAT) for amplitude in (0, 6, 18))
    assert none is not None
    assert none + 2 < faint < strong - 3


def test_a_regular_pattern_of_another_pitch_is_not_the_waffle() -> None:
    # 48 / 12 = 4 and 48 / 3 = 16 bins: two and more away from those of 8 and 4 pixels.
    for period in (12, 3):
        assert waffle(painted(18, period), FLAT) < waffle(painted(0, period), FLAT) + 1


def test_only_where_the_photograph_is_flat_does_it_count() -> None:
    content = FLAT.copy()
    content[:, 80:] = np.random.default_rng(1).integers(0, 256, (160, 80, 3), np.uint8)
    gridded = painted(0, 8)
    gridded[:, 96:] = painted(12, 8)[:, 96:]
    assert all(columns.stop <= 80 for _, columns in flat_windows(content.mean(axis=2) / 255))
    assert waffle(gridded, content) == waffle(painted(0, 8), content)
    assert waffle(gridded, np.random.default_rng(2).integers(0, 256, (160, 160, 3), np.uint8)) is None


def test_a_sky_that_darkens_evenly_is_flat() -> None:
    sky = np.repeat(np.linspace(0.9, 0.2, 96)[:, None], 96, axis=1)
    assert len(flat_windows(sky)) == 16
