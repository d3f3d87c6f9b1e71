from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from app.core.commission import Commission, Style
from app.core.config import Settings
from app.core.specs import STYLE_LAYERS, StyleParams
from workers.nets import weights
from workers.nets.vgg19 import VGG19
from workers.style import pyramid
from workers.style.losses import masked_gram_sum
from workers.style.objective import Objective
from workers.style.regions import canvas_masks, regions
from workers.style.resample import resize, shrink
from workers.style.targets import Aims, JobTargets, Targets

PARAMS = StyleParams(size=96, iterations=(1,), levels=1)
RAMP = np.linspace(0, 1, 48, dtype=np.float32)[None].repeat(40, axis=0)


@pytest.fixture(scope="module")
def vgg(weights_cache: Settings) -> VGG19:
    return VGG19(weights.load("vgg19", weights_cache))


def _aims(vgg: VGG19, *styles: Style, protect: np.ndarray | None = None) -> tuple[Aims, np.ndarray]:
    content = np.random.default_rng(1).integers(0, 256, (80, 96, 3), np.uint8)
    commission = Commission(content, styles, PARAMS, protect=protect)
    frame = pyramid.frame(80, 96, PARAMS)
    canvas = frame.pad(shrink(content, 80, 96))
    return JobTargets(Targets(vgg, tf.float32), commission, frame, canvas).aims(pyramid.scales(frame, PARAMS)[0]), 0.5 * canvas + 0.2


def _painting(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 60 + 80 * seed, (64, 72, 3), np.uint8)


def test_masked_gram_against_a_slow_sum_and_finite_differences() -> None:
    rng = np.random.default_rng(2)
    features, mask, upstream = rng.standard_normal((1, 3, 4, 2)), rng.random((3, 4)), rng.standard_normal((2, 2))

    def slow(f: np.ndarray) -> np.ndarray:
        return sum(mask[i, j] * np.outer(f[0, i, j], f[0, i, j]) for i in range(3) for j in range(4))

    point = tf.constant(features, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(point)
        gram = masked_gram_sum(point, tf.constant(mask, tf.float32))
        value = tf.reduce_sum(gram * tf.constant(upstream, tf.float32))
    np.testing.assert_allclose(gram, slow(features), rtol=1e-4, atol=1e-5)
    expected = np.zeros_like(features)
    for index in np.ndindex(features.shape):
        step = np.zeros_like(features)
        step[index] = 1e-5
        expected[index] = ((slow(features + step) - slow(features - step)) * upstream).sum() / 2e-5
    np.testing.assert_allclose(tape.gradient(value, point), expected, rtol=1e-3, atol=1e-4)


def test_masks_are_shared_out_where_they_overlap_and_leave_a_rest_where_they_do_not() -> None:
    frame = pyramid.frame(80, 96, PARAMS)
    half = np.full((5, 6), 0.25, np.float32)
    (one, other) = canvas_masks([Style(_painting(1)), Style(_painting(2), mask=half)], frame)
    np.testing.assert_allclose(one, 0.8, atol=1e-5)
    np.testing.assert_allclose(other, 0.2, atol=1e-5)
    (alone,) = canvas_masks([Style(_painting(1), mask=half)], frame)
    np.testing.assert_allclose(alone, 0.25, atol=1e-5)
    assert canvas_masks([Style(_painting(1))], frame) is None


def test_layers_see_the_mean_of_the_mask_over_each_of_their_cells() -> None:
    mask = np.random.default_rng(4).random((2, 64, 83)).astype(np.float32)
    found = regions(mask, 64, 83, "avg")
    for layer, step, seen in zip(STYLE_LAYERS, (1, 2, 4, 8, 16), found.masks, strict=True):
        assert seen.shape == (2, 64 // step, 83 // step), layer
        assert seen[1, 2, 3] == pytest.approx(mask[1, 2 * step : 3 * step, 3 * step : 4 * step].mean(), rel=1e-4)
    np.testing.assert_allclose(found.shares, mask.mean(axis=(1, 2)), rtol=1e-4)


def test_losses_of_weighted_paintings_and_of_regions_against_numpy(vgg: VGG19) -> None:
    shares = (1.0, 3.0)
    objective = Objective(vgg, tf.float32)
    for masks in ((None, None), (RAMP, 1 - RAMP)):
        aims, canvas = _aims(
            vgg, *(Style(_painting(n + 1), share, mask) for n, (share, mask) in enumerate(zip(shares, masks, strict=True)))
        )
        found = vgg.features(tf.constant(canvas[None]), STYLE_LAYERS)
        expected = 0.0
        for number, layer in enumerate(STYLE_LAYERS):
            features = found[layer].numpy().reshape(-1, found[layer].shape[-1]).astype(np.float64)
            wanted = aims.styles[0][number].numpy().astype(np.float64)
            if masks[0] is None:
                pairs = [(features.T @ features / len(features), (wanted[0] + 3 * wanted[1]) / 4, 1.0)]
            else:
                pairs = []
                for region in range(2):
                    m = aims.regions[0].masks[number][region].reshape(-1, 1).astype(np.float64)
                    area = aims.regions[0].shares[region] * shares[region] / 2
                    pairs.append((features.T @ (m * features) / m.sum(), wanted[region], area))
            expected += sum(1e5 * area * np.mean((gram - aim) ** 2) / len(gram) ** 2 for gram, aim, area in pairs)
        assert objective.evaluate(canvas.ravel(), aims, PARAMS, shares).terms.style == pytest.approx(expected, rel=1e-3)
        assert objective.evaluate(canvas.ravel(), aims, PARAMS, (3.0, 1.0)).terms.style != pytest.approx(expected, rel=0.05)
        assert objective.traces == 1


def test_a_mask_of_ones_is_no_mask(vgg: VGG19) -> None:
    objective = Objective(vgg, tf.float32)
    results = [
        objective.evaluate(canvas.ravel(), aims, PARAMS)
        for aims, canvas in (_aims(vgg, Style(_painting(1), mask=mask)) for mask in (None, np.ones((9, 9), np.float32)))
    ]
    assert results[0].loss == pytest.approx(results[1].loss, rel=1e-4)
    np.testing.assert_allclose(results[0].gradient, results[1].gradient, atol=1e-4 * np.abs(results[0].gradient).max())


def test_gradient_with_masks_and_protection_against_finite_differences(vgg: VGG19) -> None:
    protect = np.zeros((40, 48), np.float32)
    protect[:, 24:] = 1.0
    aims, canvas = _aims(vgg, Style(_painting(1), mask=RAMP), Style(_painting(2), mask=1 - RAMP), protect=protect)
    objective, x = Objective(vgg, tf.float32), canvas.ravel()
    found = objective.evaluate(x, aims, PARAMS, (1.0, 2.0))
    gradient = found.gradient.astype(np.float64)
    assert np.abs(found.gradient.reshape(canvas.shape)[:, -20:]).max() < 1e-6 * np.abs(gradient).max()
    changed = canvas.copy()
    changed[:, -20:] = 0.5
    assert objective.evaluate(changed.ravel(), aims, PARAMS, (1.0, 2.0)).loss == pytest.approx(found.loss, rel=1e-5)
    smooth = resize(np.random.default_rng(6).standard_normal((10, 12, 3)).astype(np.float32), *canvas.shape[:2]).ravel()
    for direction in (gradient, smooth):
        unit = (direction / np.linalg.norm(direction)).astype(np.float32)
        ahead, behind = (objective.evaluate(x + np.float32(h) * unit, aims, PARAMS, (1.0, 2.0)).loss for h in (0.05, -0.05))
        expected = float(gradient @ unit)
        assert (ahead - behind) / 0.1 == pytest.approx(expected, rel=0.03, abs=0.01 * float(np.linalg.norm(gradient)))
