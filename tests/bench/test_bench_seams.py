from __future__ import annotations

import numpy as np
import pytest

from bench.seams import mesh, seams


def brushwork(seed: int = 0) -> np.ndarray:
    """Strokes of any direction: noise whose amplitude falls with its frequency."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(240)[:, None], np.fft.fftfreq(320)[None, :])
    noise = np.fft.ifft2(np.fft.fft2(rng.standard_normal((240, 320))) / np.maximum(frequency, 1 / 320)).real
    plane = np.clip(128 + 30 * noise / noise.std(), 0, 255)
    return np.repeat(plane[..., None], 3, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_in_one_piece_has_no_seam_wherever_one_looks(seed: int) -> None:
    worst, share = seams(brushwork(seed), [112, 160], [96, 208])
    assert worst < 1.15
    assert share > 0.01


@pytest.mark.parametrize("shift", [12, -16])
def test_a_tile_that_is_a_little_lighter_or_darker_is_seen(shift: int) -> None:
    pixels = brushwork()
    pixels[:, 208:] = np.clip(pixels[:, 208:].astype(int) + shift, 0, 255).astype(np.uint8)
    worst, share = seams(pixels, [112], [208])
    assert worst > 1.15
    assert share == 0.0


def test_tiles_that_were_painted_each_for_itself_are_seen() -> None:
    pixels = brushwork(1)
    pixels[112:] = brushwork(2)[112:]
    worst, share = seams(pixels, [112], [])
    assert worst > 1.7
    assert share == 0.0


def test_a_picture_of_one_colour_has_no_seam() -> None:
    assert seams(np.full((64, 64, 3), 90, np.uint8), [32], [16]) == (1.0, 1.0)


def test_brush_work_has_no_mesh_and_squares_of_sixteen_pixels_are_one_the_more_the_stronger_they_are() -> None:
    pixels = brushwork().astype(int)
    squares = np.where((np.arange(240) // 16 % 2)[:, None] == (np.arange(320) // 16 % 2)[None, :], 1, -1)[..., None]
    none, faint, strong = (mesh(np.clip(pixels + amplitude * squares, 0, 255).astype(np.uint8)) for amplitude in (0, 8, 24))
    assert none < 1.3
    assert none + 0.1 < faint < strong - 0.5


def test_lines_of_another_pitch_are_no_mesh() -> None:
    pixels = brushwork().astype(int)
    pixels[:, ::11] += 24
    assert mesh(np.clip(pixels, 0, 255).astype(np.uint8)) < 1.3
