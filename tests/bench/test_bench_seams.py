from __future__ import annotations

import numpy as np
import pytest

from bench.seams import Worst, mesh, worst_seam


def brushwork(seed: int = 0) -> np.ndarray:
    """Strokes of any direction: noise whose amplitude falls with its frequency."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(240)[:, None], np.fft.fftfreq(320)[None, :])
    noise = np.fft.ifft2(np.fft.fft2(rng.standard_normal((240, 320))) / np.maximum(frequency, 1 / 320)).real
    plane = np.clip(128 + 30 * noise / noise.std(), 0, 255)
    return np.repeat(plane[..., None], 3, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_in_one_piece_has_no_seam_wherever_one_looks(seed: int) -> None:
    found = worst_seam(brushwork(seed), [112, 160], [96, 208])
    assert found.prominence < 1.15
    assert found.alike > 0
    # By hand: lines 15, 31, … of 239 and of 319, less two cuts each.
    assert found.uncut == 14 - 2 + 19 - 2


@pytest.mark.parametrize("shift", [12, -16])
def test_a_tile_that_is_a_little_lighter_or_darker_is_seen(shift: int) -> None:
    pixels = brushwork()
    pixels[:, 208:] = np.clip(pixels[:, 208:].astype(int) + shift, 0, 255).astype(np.uint8)
    found = worst_seam(pixels, [112], [208])
    assert found.prominence > 1.15
    assert found.alike == 0


def test_tiles_that_were_painted_each_for_itself_are_seen() -> None:
    pixels = brushwork(1)
    pixels[112:] = brushwork(2)[112:]
    found = worst_seam(pixels, [112], [])
    assert found.prominence > 1.7
    assert found.alike == 0


def test_a_picture_of_one_colour_has_no_seam_and_two_of_one_colour_each_have() -> None:
    pixels = np.full((64, 64, 3), 90, np.uint8)
    assert worst_seam(pixels, [32], [16]) == Worst(1.0, 4, 4)
    pixels[32:] = 91
    found = worst_seam(pixels, [32], [16])
    assert found.prominence > 1000
    assert found.alike == 0


def test_brush_work_has_no_mesh_and_squares_of_sixteen_pixels_are_one_the_more_the_stronger_they_are() -> None:
    pixels = brushwork().astype(int)
    squares = np.where((np.arange(240) // 16 % 2)[:, None] == (np.arange(320) // 16 % 2)[None, :], 1, -1)[..., None]
    none, faint, strong = (mesh(np.clip(pixels + amplitude * squares, 0, 255).astype(np.uint8)) for amplitude in (0, 8, 24))
    assert none < 1.2
    assert none + 0.1 < faint < strong - 0.5


def test_nothing_but_squares_of_sixteen_pixels_is_all_mesh() -> None:
    squares = np.kron(np.arange(60).reshape(6, 10) % 7 * 30, np.ones((16, 16), int))
    assert mesh(np.repeat(squares[..., None], 3, axis=2).astype(np.uint8)) > 1000


def test_lines_of_another_pitch_are_no_mesh() -> None:
    pixels = brushwork().astype(int)
    pixels[:, ::11] += 24
    assert mesh(np.clip(pixels, 0, 255).astype(np.uint8)) < 1.3
