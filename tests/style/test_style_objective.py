from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from app.core.commission import Commission
from app.core.config import Settings
from app.core.specs import STYLE_LAYERS, StyleParams
from workers.nets import weights
from workers.nets.vgg19 import VGG19, effort
from workers.style import pyramid
from workers.style.objective import Objective, evaluation_cost
from workers.style.pyramid import Scale
from workers.style.resample import resize, shrink
from workers.style.targets import Aims, JobTargets, Targets

PARAMS = StyleParams(size=128, iterations=(1,), strength=1.5, content_weight=0.7, tv=2.0, style_relu3_1=0.5, levels=2)


@pytest.fixture(scope="module")
def vgg(weights_cache: Settings) -> VGG19:
    return VGG19(weights.load("vgg19", weights_cache))


@pytest.fixture(scope="module")
def case(vgg: VGG19) -> tuple[Objective, Aims, np.ndarray, np.ndarray]:
    """An objective of two levels, its targets, a point and the painting."""
    rng = np.random.default_rng(5)
    content, style = (rng.integers(0, 256, shape, np.uint8) for shape in ((96, 128, 3), (64, 80, 3)))
    frame = pyramid.frame(96, 128, PARAMS)
    (scale,) = pyramid.scales(frame, PARAMS)
    scale = pyramid.Scale(scale.side, scale.height, scale.width, 2, 1)
    canvas = frame.pad(shrink(content, 96, 128))
    aims = JobTargets(Targets(vgg, tf.float32), Commission.of(content, style, PARAMS), frame, canvas).aims(scale)
    objective = Objective(vgg, tf.float32)
    return objective, aims, 0.5 * canvas + 0.25, style


def test_losses_against_numpy(case: tuple[Objective, Aims, np.ndarray, np.ndarray], vgg: VGG19) -> None:
    objective, aims, canvas, style = case

    def grams(picture: np.ndarray) -> list[np.ndarray]:
        found = vgg.features(tf.constant(picture[None]), STYLE_LAYERS)
        flat = [found[layer].numpy().reshape(-1, found[layer].shape[-1]).astype(np.float64) for layer in STYLE_LAYERS]
        return [f.T @ f / len(f) for f in flat]

    content = paint = 0.0
    for level in range(2):
        picture = resize(canvas, canvas.shape[0] >> level, canvas.shape[1] >> level)
        painting = shrink(style, *pyramid.sides(64, 80, 128 >> level))
        features = vgg.features(tf.constant(picture[None]), ["relu4_2"])["relu4_2"].numpy()
        content += 0.7 * float(np.mean((features - aims.contents[level].numpy()) ** 2)) / 2
        layer_weights = [1.5, 1.5, 0.75, 1.5, 1.5]
        paint += sum(
            1e5 * w * float(np.mean((g - a) ** 2)) / len(g) ** 2 / 2
            for w, g, a in zip(layer_weights, grams(picture), grams(painting), strict=True)
        )
    tv = 2.0 * float(np.mean(np.diff(canvas, axis=0) ** 2) + np.mean(np.diff(canvas, axis=1) ** 2))
    losses = objective.evaluate(canvas.ravel(), aims, PARAMS).terms
    assert (losses.content, losses.style, losses.tv) == pytest.approx((content, paint, tv), rel=1e-3)
    assert losses.total == pytest.approx(content + paint + tv, rel=1e-3)


def test_gradient_against_finite_differences(case: tuple[Objective, Aims, np.ndarray, np.ndarray]) -> None:
    objective, aims, canvas, _ = case
    x = canvas.ravel()
    gradient = objective.evaluate(x, aims, PARAMS).gradient.astype(np.float64)
    rng = np.random.default_rng(11)
    # Along the gradient and along smooth random directions: single pixels drown in float32 rounding.
    smooth = [resize(rng.standard_normal((12, 16, 3)).astype(np.float32), *canvas.shape[:2]).ravel() for _ in range(3)]
    for direction in [gradient, *smooth]:
        unit = (direction / np.linalg.norm(direction)).astype(np.float32)
        ahead, behind = (objective.evaluate(x + np.float32(h) * unit, aims, PARAMS).loss for h in (0.05, -0.05))
        expected = float(gradient @ unit)
        assert (ahead - behind) / 0.1 == pytest.approx(expected, rel=0.03, abs=0.01 * float(np.linalg.norm(gradient)))


def test_bfloat16_agrees_to_a_percent_and_a_half(case: tuple[Objective, Aims, np.ndarray, np.ndarray], vgg: VGG19) -> None:
    objective, aims, canvas, _ = case
    exact = objective.evaluate(canvas.ravel(), aims, PARAMS)
    coarse = replace(aims, contents=[tf.cast(one, tf.bfloat16) for one in aims.contents])
    rough = Objective(vgg, tf.bfloat16).evaluate(canvas.ravel(), coarse, PARAMS)
    assert rough.loss == pytest.approx(exact.loss, rel=0.015)
    cosine = float(rough.gradient @ exact.gradient / np.linalg.norm(rough.gradient) / np.linalg.norm(exact.gradient))
    assert rough.gradient.dtype == np.float32 and cosine > 0.98


def test_other_weights_and_targets_use_the_same_graph(case: tuple[Objective, Aims, np.ndarray, np.ndarray]) -> None:
    objective, aims, canvas, _ = case
    others = replace(aims, contents=[2 * target for target in aims.contents])
    for params, these in ((PARAMS, aims), (StyleParams(strength=3.0), aims), (PARAMS, others)):
        objective.evaluate(canvas.ravel(), these, params)
    assert objective.traces == 1


def test_a_painting_met_before_is_not_described_again(vgg: VGG19) -> None:
    targets = Targets(vgg, tf.float32)
    paintings = np.random.default_rng(0).integers(0, 256, (34, 40, 40, 3), np.uint8)
    first = targets.style(paintings[0], 32)
    assert targets.style(paintings[0].copy(), 32) is first
    assert targets.style(paintings[0], 48) is not first
    for painting in paintings[1:]:
        targets.style(painting, 32)
    again = targets.style(paintings[0], 32)
    assert again is not first
    for one, other in zip(again, first, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_cost_of_an_evaluation_counts_halos_a_second_forward_pass_and_how_deep_it_goes() -> None:
    plain = Scale(512, 520, 520, 1, 1)
    assert evaluation_cost(plain, "relu4_2", 1024) == 520 * 520
    assert evaluation_cost(replace(plain, levels=2), "relu4_2", 1024) == 520 * 520 + 260 * 260
    assert evaluation_cost(plain, "relu5_2", 1024) == effort("relu5_2") * 520 * 520
    # In tiles of at most 256: cores of 176, 176 and 168, which with halos of 80 see 256, 336 and 248 pixels of each side.
    assert evaluation_cost(plain, "relu4_2", 256) == 1.5 * (256 + 336 + 248) ** 2
    # Halos of 16 at the largest level of an enlarged picture, in windows of 192, 208 and 184; its half is one window.
    fine = replace(plain, levels=2, fine=True)
    assert evaluation_cost(fine, "relu5_2", 256) == pytest.approx(
        1.5 * effort("relu3_1") * (192 + 208 + 184) ** 2 + effort("relu5_2") * 260 * 260
    )
