from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from app.core.config import Settings
from app.core.recipes import Recipe
from app.core.specs import StyleParams
from workers.style.variants import Variants, keep_colour

STYLE = data.coffee()


@pytest.fixture(scope="module")
def variants(weights_cache: Settings) -> Variants:
    return Variants(weights_cache)


def test_alpha_goes_from_the_photograph_to_the_style(variants: Variants) -> None:
    """Equation 14 of the paper: between decoding the content's own features and full AdaIN."""
    content = data.astronaut()
    params = StyleParams(size=128, iterations=())
    none, half, whole = (
        variants.paint(content, STYLE, Recipe(generator="adain", params=params, alpha=alpha)).astype(float) for alpha in (0.0, 0.5, 1.0)
    )
    own = variants.paint(content, content, Recipe(generator="adain", params=params)).astype(float)
    # A picture in its own style is decoded as it is, up to the statistics of its margin and resampling.
    assert np.abs(none - own).mean() < 6
    assert np.abs(half - none).mean() < 0.8 * np.abs(whole - none).mean()
    assert np.abs(whole - none).mean() > 15


def test_padding_and_pooling_change_the_optimisers_picture(variants: Variants) -> None:
    params = StyleParams(size=64, iterations=(3,), init="content", levels=1)
    recipes = [
        Recipe(generator="optimiser", params=params, padding=padding, pooling=pooling)
        for padding, pooling in (("zero", "avg"), ("reflect", "avg"), ("zero", "max"))
    ]
    pictures = [variants.paint(data.rocket(), STYLE, recipe).astype(int) for recipe in recipes]
    assert all(np.abs(pictures[0] - other).mean() > 0.1 for other in pictures[1:])
    np.testing.assert_array_equal(pictures[0], variants.paint(data.rocket(), STYLE, recipes[0]))


def test_colours_are_the_photographs_and_brightness_is_the_paintings() -> None:
    content = np.full((40, 60, 3), (200, 60, 60), np.uint8)
    picture = np.repeat(np.linspace(70, 150, 30).astype(np.uint8)[None, :, None], 20, 0).repeat(3, 2)
    found = keep_colour(content, picture).astype(float)
    assert found.shape == (20, 30, 3)
    luminance = found @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(luminance, picture[..., 0], atol=2)
    # Cr of (200, 60, 60) is about 0.5 · 140 · (1 − 0.299) / (1 − 0.299): red minus luminance is the same everywhere.
    np.testing.assert_allclose(found[..., 0] - luminance, 200 - (0.299 * 200 + 0.701 * 60), atol=3)


def test_keeping_colour_is_part_of_the_recipe(variants: Variants) -> None:
    recipe = Recipe(generator="adain", params=StyleParams(size=96, iterations=()))
    plain = variants.paint(data.rocket(), STYLE, recipe)
    kept = variants.paint(data.rocket(), STYLE, recipe.model_copy(update={"keep_colour": True}))
    np.testing.assert_array_equal(kept, keep_colour(data.rocket(), plain))
