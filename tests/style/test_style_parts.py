"""A painting of which only a part is taken: Gram matrices, AdaIN's statistics, colours, the finished picture."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from app.core.commission import Commission, Style
from app.core.config import Settings
from app.core.errors import PictureError
from app.core.progress import Progress
from app.core.specs import STYLE_LAYERS, StyleParams
from workers.nets import weights
from workers.nets.adain_decoder import AdaINDecoder
from workers.nets.vgg19 import VGG19, Padding, Pooling
from workers.style.colours import prepared
from workers.style.engine import Engine
from workers.style.instant import Instant
from workers.style.regions import seen, stretched
from workers.style.resample import shrink
from workers.style.targets import Targets

PAINTING = skimage.data.coffee()[:200, :330]
RAMP = np.linspace(0, 1, 20, dtype=np.float32)[None].repeat(9, axis=0)
LEFT = np.repeat([[1.0] * 8 + [0.0] * 8], 6, axis=0).astype(np.float32)


@pytest.fixture(scope="module")
def vgg(weights_cache: Settings) -> VGG19:
    return VGG19(weights.load("vgg19", weights_cache))


@pytest.fixture(scope="module")
def engine(weights_cache: Settings) -> Engine:
    return Engine(weights_cache)


def ignore(_: Progress) -> None:
    """A caller that does not listen."""


def half_red_half_blue() -> np.ndarray:
    noise = np.random.default_rng(5).integers(-40, 40, (96, 128, 1))
    colours = np.where(np.arange(128)[None, :, None] < 64, [200, 50, 40], [40, 60, 200])
    return np.clip(colours + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("padding", "pooling"), [("zero", "avg"), ("reflect", "max")])
@pytest.mark.parametrize("tile", [64, 1024])
def test_each_place_of_a_painting_counts_as_it_is_marked(vgg: VGG19, padding: Padding, pooling: Pooling, tile: int) -> None:
    targets = Targets(vgg, tf.float32, padding=padding, pooling=pooling)
    found = targets.style(PAINTING, 210, tile=tile, part=RAMP)
    picture = shrink(PAINTING, 127, 210)
    features = vgg.features(tf.constant(picture[None]), STYLE_LAYERS, padding=padding, pooling=pooling)
    mask = stretched(RAMP, 127, 210)
    for layer, gram in zip(STYLE_LAYERS, found, strict=True):
        each = features[layer].numpy()[0].astype(np.float64)
        share = seen(mask, layer, pooling).astype(np.float64)
        expected = np.einsum("hwi,hwj->ij", each * share, each, optimize=True) / share.sum()
        np.testing.assert_allclose(gram, expected, atol=2e-5 * np.abs(expected).max(), err_msg=layer)


def test_all_of_it_is_no_part(vgg: VGG19) -> None:
    targets = Targets(vgg, tf.float32)
    whole, marked, ramp = (targets.style(PAINTING, 210, part=part) for part in (None, np.ones((7, 7), np.float32), RAMP))
    for one, other, third in zip(whole, marked, ramp, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(one).max())
        assert np.abs(one - third).max() > 0.01 * np.abs(one).max()


def test_a_narrow_strip_at_the_edge_is_seen_by_every_layer(vgg: VGG19) -> None:
    strip = np.zeros((127, 210), np.float32)
    strip[-3:] = 1.0
    for gram in Targets(vgg, tf.float32).style(PAINTING, 210, part=strip):
        assert np.isfinite(gram).all() and np.trace(gram) > 0


def test_layers_see_each_pixel_of_a_mask_in_one_cell() -> None:
    mask = np.random.default_rng(3).random((67, 85, 2)).astype(np.float32)
    found = seen(mask, "relu5_1", "avg")
    assert found.shape == (4, 5, 2)
    np.testing.assert_allclose(found[1, 2], mask[16:32, 32:48].mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(found[3, 4], mask[48:, 64:].mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_allclose(seen(mask, "relu5_1", "max")[4, 5], mask[64:, 80:].mean(axis=(0, 1)), rtol=1e-5)


def test_adain_takes_the_statistics_of_the_part(weights_cache: Settings, vgg: VGG19) -> None:
    decoder = AdaINDecoder(weights.load("adain_decoder", weights_cache))
    instant = Instant(vgg, decoder, tf.float32)
    content, style = shrink(skimage.data.chelsea(), 64, 96), shrink(PAINTING, 90, 140)
    everywhere = np.ones((64, 96, 1), np.float32)
    shares = seen(stretched(RAMP, 90, 140), "relu4_1", "max")[None]
    encoded, aim = (
        vgg.features(tf.constant(one[None]), ["relu4_1"], padding="reflect", pooling="max")["relu4_1"].numpy().astype(np.float64)
        for one in (content, style)
    )
    mean = (aim * shares).sum(axis=(1, 2)) / shares.sum()
    deviation = np.sqrt(((aim - mean) ** 2 * shares).sum(axis=(1, 2)) / shares.sum() + 1e-5)
    own = encoded.mean(axis=(1, 2)), np.sqrt(encoded.var(axis=(1, 2)) + 1e-5)
    restyled = (encoded - own[0]) / own[1] * deviation + mean
    expected = np.clip(decoder.decode(tf.constant(restyled, tf.float32)).numpy()[0], 0, 1)
    found, whole = (np.clip(instant._decoded(content, [style], [part], everywhere), 0, 1) for part in (RAMP, None))
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert np.abs(found - whole).mean() > 0.01


@pytest.mark.parametrize(("colours", "iterations"), [("painting", ()), ("painting", (3, 2)), ("only", ())])
def test_the_picture_has_the_colours_of_the_part(engine: Engine, colours: str, iterations: tuple[int, ...]) -> None:
    params = StyleParams(size=96, iterations=iterations, colours=colours)
    warmth = []
    for part in (LEFT, None, 1 - LEFT):
        commission = Commission(skimage.data.chelsea(), (Style(half_red_half_blue(), part=part),), params)
        picture = engine.stylize(commission, ignore)
        warmth.append(float((picture[..., 0] - picture[..., 2]).mean()))
    assert warmth[0] > 0.1 > warmth[1] > -0.1 > warmth[2], warmth


def test_matched_gives_the_part_the_photographs_colours() -> None:
    content, painting = skimage.data.chelsea(), half_red_half_blue()
    params = StyleParams(size=96, colours="matched")
    means = {}
    for name, part in (("left", LEFT), ("whole", None)):
        [style] = prepared(Commission(content, (Style(painting, part=part),), params)).styles
        means[name] = style.pixels[:, :64].mean(axis=(0, 1))
    # Bounds clip some of the noise.
    assert np.abs(means["left"] - content.mean(axis=(0, 1))).max() < 6
    assert np.abs(means["whole"] - content.mean(axis=(0, 1))).max() > 12


def test_a_single_pixel_is_enough_and_none_is_refused(engine: Engine) -> None:
    part = np.zeros((900, 900), np.float32)
    part[0, 0] = 1.0
    commission = Commission(half_red_half_blue(), (Style(PAINTING, part=part),), StyleParams(size=96, iterations=(1,)))
    assert np.isfinite(engine.stylize(commission, ignore)).all()
    part[0, 0] = 0.0
    with pytest.raises(PictureError, match=r"Mark some of it\.") as caught:
        engine.stylize(Commission(skimage.data.chelsea(), (Style(PAINTING, part=part),), StyleParams(size=96)), ignore)
    assert caught.value.field == "style"


def test_targets_are_kept_by_painting_part_and_size_and_not_by_tiles_that_cut_nothing(vgg: VGG19) -> None:
    targets = Targets(vgg, tf.float32)
    first = targets.style(PAINTING, 96, tile=1024, part=RAMP)
    assert targets.style(PAINTING, 96, tile=2048, part=RAMP.copy()) is first
    for other in ({"part": RAMP[:, ::-1].copy()}, {"part": None}, {"part": RAMP, "tile": 64}, {"part": RAMP, "longer": 112}):
        assert targets.style(PAINTING, **{"longer": 96, **other}) is not first
