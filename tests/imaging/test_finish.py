"""Finishing against scikit-image's YIQ, and against pixels worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2yiq, yiq2rgb

from app.core.finish import Finish
from app.core.specs import resolve
from app.imaging.finish import finished, recoloured

PAINTED = (data.coffee()[:300, :300] / 255).astype(np.float32)
PHOTOGRAPH = (data.chelsea()[:300, :300] / 255).astype(np.float32)
SOFT = PHOTOGRAPH * np.float32(0.2) + np.float32(0.4)  # colours that fit under most luminances


def test_luminance_is_the_paintings_and_colour_the_photographs() -> None:
    done = recoloured(PAINTED, SOFT)
    yiq = np.dstack([rgb2yiq(PAINTED)[..., :1], rgb2yiq(SOFT)[..., 1:]])
    expected = yiq2rgb(yiq)
    fits = (expected.min(axis=-1) >= 0) & (expected.max(axis=-1) <= 1)
    assert 0.8 < fits.mean() < 1
    np.testing.assert_allclose(done[fits], expected[fits], atol=2e-3)


def test_where_a_colour_does_not_fit_luminance_and_hue_are_kept() -> None:
    done = recoloured(PAINTED, PHOTOGRAPH)
    assert done.min() >= 0 and done.max() <= 1
    np.testing.assert_allclose(rgb2yiq(done)[..., 0], rgb2yiq(PAINTED)[..., 0], atol=2e-3)
    i, q = (rgb2yiq(done)[..., place].ravel() for place in (1, 2))
    i0, q0 = (rgb2yiq(PHOTOGRAPH)[..., place].ravel() for place in (1, 2))
    np.testing.assert_allclose(i * q0, q * i0, atol=2e-3)  # the same direction
    assert (i * i0 + q * q0 >= -1e-5).all()
    assert (np.hypot(i, q) <= np.hypot(i0, q0) + 2e-3).all()


def test_by_hand() -> None:
    # Red has luma 0.299; on white nothing of it fits, on half grey (0.5 / 0.701) of it does.
    red = np.array([[[1, 0, 0]]], np.float32)
    white, grey = np.ones_like(red), np.full_like(red, 0.5)
    np.testing.assert_allclose(recoloured(white, red), white, atol=1e-6)
    factor = 0.5 / 0.701
    np.testing.assert_allclose(recoloured(grey, red)[0, 0], [1.0, 0.5 - factor * 0.299, 0.5 - factor * 0.299], atol=1e-6)
    np.testing.assert_allclose(recoloured(red, grey)[0, 0], [0.299] * 3, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_strength_is_a_blend_over_all_rows(strength: float) -> None:
    done = finished(PAINTED, PHOTOGRAPH, Finish(strength=strength))
    np.testing.assert_allclose(done, strength * PAINTED + (1 - strength) * PHOTOGRAPH, atol=1e-6)
    both = finished(PAINTED, PHOTOGRAPH, Finish(strength=strength, colours="photograph"))
    np.testing.assert_allclose(both, strength * recoloured(PAINTED, PHOTOGRAPH) + (1 - strength) * PHOTOGRAPH, atol=1e-6)


def test_nothing_asked_for_changes_nothing() -> None:
    assert finished(PAINTED, PHOTOGRAPH, Finish()) is PAINTED
    with pytest.raises(ValueError, match="received"):
        finished(PAINTED, PHOTOGRAPH[1:], Finish())


def test_the_usual_finish_follows_the_parameters() -> None:
    assert Finish.usual(resolve()) == Finish.usual(resolve(changes={"colours": "matched"})) == Finish()
    assert Finish.usual(resolve(changes={"colours": "photograph"})) == Finish(colours="photograph")
