"""Colours that are settled before painting, or in place of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from app.core.commission import Commission, Style
from app.core.progress import Progress, StopRequested
from app.core.specs import resolve
from workers.style.colours import prepared, recolour

PHOTOGRAPH, PAINTING, OTHER = data.chelsea()[:240, :320], data.coffee()[:200, :200], data.rocket()[:160, :200]


def commission(colours: str, *styles: Style) -> Commission:
    return Commission(PHOTOGRAPH, styles, resolve(changes={"size": 128, "colours": colours}))


def mean(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(pixels, np.float64).reshape(-1, 3).mean(axis=0) / (255 if pixels.dtype == np.uint8 else 1)


def test_matched_paintings_have_the_photographs_colours_and_keep_the_rest() -> None:
    styles = Style(PAINTING, 2.0, np.ones((4, 4), np.float32)), Style(OTHER)
    done = prepared(commission("matched", *styles))
    for before, after in zip(styles, done.styles, strict=True):
        np.testing.assert_allclose(mean(after.pixels), mean(PHOTOGRAPH), atol=0.02)
        assert (after.weight, after.mask is before.mask) == (before.weight, True)
        assert np.abs(mean(before.pixels) - mean(PHOTOGRAPH)).max() > 0.05
    for colours in ("painting", "photograph"):
        same = commission(colours, *styles)
        assert prepared(same) is same


def test_only_colours_are_those_of_the_mixture_and_come_with_their_records() -> None:
    heard: list[Progress] = []
    styles = Style(PAINTING, 3.0), Style(OTHER, 1.0)
    done = recolour(commission("only", *styles), heard.append)
    assert (done.dtype, done.shape, [one.stage for one in heard]) == (np.float32, (96, 128, 3), ["prepare", "finish"])
    np.testing.assert_allclose(mean(done), 0.75 * mean(PAINTING) + 0.25 * mean(OTHER), atol=0.03)  # some of it is clipped
    assert heard[-1].preview is not None and heard[-1].preview.shape == (96, 128, 3)


def test_stretched_colours_have_more_than_eight_bits() -> None:
    levels = recolour(commission("only", Style(PAINTING)), lambda _: None) * 255
    assert float(np.abs(levels - np.rint(levels)).mean()) > 0.2


def test_what_is_protected_stays() -> None:
    left = np.zeros((2, 64), np.float32)
    left[:, :32] = 1
    done = recolour(replace(commission("only", Style(PAINTING)), protect=left), lambda _: None)
    plain = recolour(commission("only", Style(PAINTING)), lambda _: None)
    same = np.abs(done - plain).max(axis=(0, 2))
    assert same[70:].max() < 1e-6 and same[:58].min() > 0.01
    np.testing.assert_allclose(mean(done[:, :58]), mean(PHOTOGRAPH[:, :145]), atol=0.01)


def test_stopped_at_once_it_is_the_photograph() -> None:
    def stop(_: Progress) -> None:
        raise StopRequested

    np.testing.assert_allclose(mean(recolour(commission("only", Style(PAINTING)), stop)), mean(PHOTOGRAPH), atol=0.01)
    with pytest.raises(KeyError):
        recolour(commission("only", Style(PAINTING)), lambda _: {}["passes through"])
