from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from app.core.commission import Commission, Style
from app.core.config import Settings
from app.core.progress import StopRequested
from app.core.specs import STYLE_LAYERS, StyleParams
from workers.nets import weights
from workers.nets.vgg19 import VGG19, Padding, Pooling
from workers.style import pyramid
from workers.style.objective import Objective
from workers.style.resample import resize, shrink
from workers.style.targets import JobTargets, Targets
from workers.style.tiles import halo, windows


@pytest.fixture(scope="module")
def vgg(weights_cache: Settings) -> VGG19:
    return VGG19(weights.load("vgg19", weights_cache))


@pytest.fixture(autouse=True)
def cut_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tiles are used on small pictures, too, at every level."""
    monkeypatch.setattr("workers.style.level.is_cut", lambda height, width, tile, margin: tile < 512)


@pytest.mark.parametrize(("layer", "reach"), [("relu3_2", 14), ("relu5_2", 86)])
def test_halo_covers_what_a_feature_sees(vgg: VGG19, layer: str, reach: int) -> None:
    """The gradient of one feature, where every convolution lets everything through, says how far it looks."""
    open_weights = {key: np.abs(array) + 1e-3 if key.startswith("conv") else array for key, array in vgg._weights.items()}
    image = tf.Variable(tf.fill([1, 208, 208, 3], 0.9))
    with tf.GradientTape() as tape:
        found = VGG19(open_weights).features(image, [layer])[layer]
        middle = found.shape[1] // 2
        chosen = tf.reduce_sum(found[0, middle, middle])
    seen = np.flatnonzero(np.abs(tape.gradient(chosen, image).numpy()).max(axis=(0, 2, 3)))
    step = 208 // found.shape[1]
    before, after = middle * step - seen[0], seen[-1] - (middle + 1) * step + 1
    assert max(before, after) == reach <= halo(layer) < reach + 16


@pytest.mark.parametrize(
    ("height", "width", "tile", "margin"), [(200, 333, 64, 80), (64, 64, 64, 80), (1024, 100, 256, 96), (17, 300, 16, 16)]
)
def test_cores_cover_each_pixel_once_and_windows_reach_around_them(height: int, width: int, tile: int, margin: int) -> None:
    count = np.zeros((height, width), int)
    for window in windows(height, width, tile, margin):
        top, bottom, left, right = window.core
        inside = count[window.pixels]
        inside[top:bottom, left:right] += 1
        assert max(bottom - top, right - left) <= tile
        for span, side in ((window.rows, height), (window.columns, width)):
            assert span.start % 16 == span.begin % 16 == 0
            assert span.start == max(0, span.begin - margin) and span.stop == min(side, span.end + margin)
    assert (count == 1).all()


def _case(
    vgg: VGG19, shape: tuple[int, int], params: StyleParams, tile: int, *, masks: bool, padding: Padding = "zero", pooling: Pooling = "avg"
) -> tuple[object, np.ndarray, list[float]]:
    rng = np.random.default_rng(sum(shape))
    content = (255 * np.clip(resize(rng.random((20, 20, 3), np.float32), *shape), 0, 1)).astype(np.uint8)
    paintings = [rng.integers(0, 256, (90, 70, 3), np.uint8), rng.integers(0, 128, (64, 100, 3), np.uint8)]
    ramp = np.linspace(0, 1, 40, dtype=np.float32)[None].repeat(30, axis=0)
    found = [ramp, 1 - ramp] if masks else [None, None]
    commission = Commission(content, tuple(Style(*one) for one in zip(paintings, (1.0, 2.5), found, strict=True)), params)
    frame = pyramid.frame(*shape, params)
    canvas = frame.pad(shrink(content, frame.height, frame.width))
    targets = Targets(vgg, tf.float32, padding=padding, pooling=pooling)
    aims = JobTargets(targets, commission, frame, canvas, tile).aims(pyramid.scales(frame, params)[-1])
    return aims, (0.6 * canvas + 0.3 * rng.random(canvas.shape, np.float32)).ravel(), [1.0, 2.5]


@pytest.mark.parametrize(
    ("shape", "tile", "levels", "layer", "masks", "padding", "pooling"),
    [
        # Windows of more than one row and column; then long thin ones, which are cheap.
        ((287, 290), 112, 1, "relu4_2", True, "zero", "avg"),
        ((300, 72), 96, 1, "relu3_2", True, "reflect", "avg"),
        ((72, 330), 96, 2, "relu5_2", False, "zero", "max"),
        # The largest level of an enlarged picture, which is looked at for small strokes alone.
        ((64, 741), 176, 2, "relu5_2", True, "zero", "max"),
    ],
)
def test_tiled_equals_whole(
    vgg: VGG19, shape: tuple[int, int], tile: int, levels: int, layer: str, masks: bool, padding: Padding, pooling: Pooling
) -> None:
    params = StyleParams(size=max(shape), iterations=(1,), levels=levels, content_layer=layer, tv=1.5, content_weight=50.0)
    whole, x, shares = _case(vgg, shape, params, 1024, masks=masks, padding=padding, pooling=pooling)
    tiled, _, _ = _case(vgg, shape, params, tile, masks=masks, padding=padding, pooling=pooling)
    objective = Objective(vgg, tf.float32, padding=padding, pooling=pooling)
    for one, other in zip(whole.contents, tiled.contents, strict=True):
        if one is None:
            assert other is None
            continue
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    for one, other in zip(whole.styles, tiled.styles, strict=True):
        for layer_grams, others in zip(one, other, strict=True):
            np.testing.assert_allclose(layer_grams, others, rtol=1e-4, atol=1e-4)
    expected, found = (objective.evaluate(x, aims, params, shares) for aims in (whole, tiled))
    assert (found.terms.content, found.terms.style) == pytest.approx((expected.terms.content, expected.terms.style), rel=1e-4)
    assert found.terms.content > 0.01 * found.terms.total
    scale = float(np.abs(expected.gradient).max())
    # Everywhere, seams and borders too.
    np.testing.assert_allclose(found.gradient, expected.gradient, atol=2e-4 * scale)


def test_compiled_by_xla_tiles_give_what_they_give_without(vgg: VGG19) -> None:
    params = StyleParams(size=200, iterations=(1,), levels=1)
    aims, x, shares = _case(vgg, (64, 200), params, 112, masks=True)
    expected, found = (Objective(vgg, tf.float32, xla=xla).evaluate(x, aims, params, shares) for xla in (False, True))
    assert found.loss == pytest.approx(expected.loss, rel=1e-4)
    np.testing.assert_allclose(found.gradient, expected.gradient, atol=2e-4 * float(np.abs(expected.gradient).max()))


def test_the_tiled_graphs_are_built_once_for_every_size_and_painting(vgg: VGG19) -> None:
    objective = Objective(vgg, tf.float32)
    for shape in ((64, 200), (200, 72)):
        params = StyleParams(size=max(shape), iterations=(1,), levels=1, strength=shape[0] / 100)
        aims, x, shares = _case(vgg, shape, params, 96, masks=False)
        objective.evaluate(x, aims, params, shares)
    assert objective.traces == 1


def test_each_window_is_told_and_whoever_is_told_may_end_it(vgg: VGG19) -> None:
    params = StyleParams(size=300, iterations=(1,), levels=1)
    aims, x, shares = _case(vgg, (64, 300), params, 96, masks=False)
    told: list[float] = []
    objective = Objective(vgg, tf.float32)
    objective.evaluate(x, replace(aims, on_window=told.append), params, shares)
    height, width = aims.shape[:2]
    count = len(list(windows(height, width, 96, 80)))
    assert len(told) == 2 * count > 6
    assert sum(told) == pytest.approx(1.5 * sum(window.area for window in windows(height, width, 96, 80)))

    def stop(_: float) -> None:
        raise StopRequested

    with pytest.raises(StopRequested):
        objective.evaluate(x, replace(aims, on_window=stop), params, shares)


def test_targets_in_one_piece_are_not_told(vgg: VGG19) -> None:
    told: list[float] = []
    targets, pixels = Targets(vgg, tf.float32), np.zeros((64, 200, 3), np.uint8)
    targets.style(pixels, 200, on_window=told.append)
    targets.content(shrink(pixels, 64, 200), "relu3_2", on_window=told.append)
    assert told == []
    targets.content(shrink(pixels, 64, 200), "relu3_2", 128, on_window=told.append)
    # Cores of 112 and 88, a halo of 16: windows of 128 and 104 by 64, forward pass only.
    # As far as relu3_2: of the multiplications at each pixel up to relu5_1 so many.
    share = (3 * 64 + 64 * 64 + 192 * 128 / 4 + 384 * 256 / 16) / (3 * 64 + 64 * 64 + 192 * 128 / 4 + 896 * 256 / 16 + 1920 * 512 / 64)
    assert told == pytest.approx([0.5 * share * 128 * 64, 0.5 * share * 104 * 64])


def test_style_targets_are_those_of_the_painting_in_one_piece(vgg: VGG19) -> None:
    painting = np.random.default_rng(3).integers(0, 256, (64, 501, 3), np.uint8)
    targets = Targets(vgg, tf.float32)
    features = vgg.features(tf.constant(shrink(painting, 64, 501)[None]), STYLE_LAYERS)
    for layer, gram in zip(STYLE_LAYERS, targets.style(painting, 501, tile=96), strict=True):
        flat = features[layer].numpy().reshape(-1, features[layer].shape[-1]).astype(np.float64)
        np.testing.assert_allclose(gram, flat.T @ flat / len(flat), rtol=1e-4, atol=1e-4)


def test_the_largest_level_of_an_enlarged_picture_is_looked_at_for_small_strokes_alone(vgg: VGG19) -> None:
    """Tiled or not, its loss and gradient are those of the first three layers there and of everything at its half."""
    params = StyleParams(size=740, iterations=(1,), enlarging=1, levels=2)
    rng = np.random.default_rng(5)
    content, painting = (rng.integers(0, 256, shape, np.uint8) for shape in ((60, 740, 3), (64, 500, 3)))
    commission = Commission(content, (Style(painting),), params)
    frame = pyramid.frame(60, 740, params)
    scale = pyramid.scales(frame, params)[-1]
    canvas = frame.pad(shrink(content, frame.height, frame.width))
    assert scale.fine and scale.levels == 2
    x = (0.8 * canvas + 0.2 * rng.random(canvas.shape, np.float32)).ravel()
    objective = Objective(vgg, tf.float32)
    found = []
    for tile in (1024, 176):
        aims = JobTargets(Targets(vgg, tf.float32), commission, frame, canvas, tile).aims(scale)
        assert [None if one is None else one.shape[3] for one in aims.contents] == [None, 512]
        assert [len(one) for one in aims.styles] == [3, 5]
        found.append(objective.evaluate(x, aims, params))
    assert found[0].loss == pytest.approx(found[1].loss, rel=1e-4)
    np.testing.assert_allclose(found[0].gradient, found[1].gradient, atol=2e-4 * float(np.abs(found[0].gradient).max()))
    # By hand: the style loss of the picture in three layers and of its half in five, the content's at the half alone.
    images = [x.reshape(canvas.shape), resize(x.reshape(canvas.shape), canvas.shape[0] // 2, canvas.shape[1] // 2)]
    content_term = style_term = 0.0
    for level, (image, layers) in enumerate(zip(images, (STYLE_LAYERS[:3], STYLE_LAYERS), strict=True)):
        features = vgg.features(tf.constant(image[None]), [*layers, "relu4_2"])
        for layer, target in zip(layers, aims.styles[level], strict=True):
            flat = features[layer].numpy().reshape(-1, features[layer].shape[-1]).astype(np.float64)
            style_term += 1e5 * float(np.mean((flat.T @ flat / len(flat) - target[0].numpy()) ** 2)) / flat.shape[1] ** 2 / 2
        if level:
            content_term = float(np.mean((features["relu4_2"].numpy() - aims.contents[level].numpy()) ** 2))
    assert (found[0].terms.content, found[0].terms.style) == pytest.approx((content_term, style_term), rel=1e-3)
