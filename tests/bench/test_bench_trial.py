from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from app.core.specs import STYLE_LAYERS
from bench.laplacian import Laplacian
from bench.pictures import photograph
from bench.plan import Plan
from bench.recipes import BASE, TRIALS, page
from bench.records import Measures, Painted, Record
from bench.trial import Trial, cost, frame_of, stages, unit_cost
from bench.trial_objective import cropped, levels
from bench.warm import carried
from bench.wasserstein import moments, root_of, wasserstein2
from workers.style.optimiser import Evaluation, adam, lbfgs

FRAME = frame_of(photograph("chelsea"), 512)


@pytest.mark.parametrize("name", TRIALS)
def test_every_recipe_costs_what_the_base_does_to_an_evaluation(name: str) -> None:
    base, trial = TRIALS[BASE], TRIALS[name]
    wanted = cost(base, FRAME, [count for _, count in base.scales])
    found = cost(trial, FRAME, [stage.iterations for stage in stages(trial, FRAME, wanted)])
    assert wanted - unit_cost(trial, FRAME.canvas_height, FRAME.canvas_width, True) < found <= wanted * (1 + 1e-9)


def test_the_base_keeps_its_iterations() -> None:
    base = TRIALS[BASE]
    assert [stage.iterations for stage in stages(base, FRAME, cost(base, FRAME, [50, 20]))] == [50, 20]


def test_a_unit_is_a_pixel_of_one_level_with_every_layer() -> None:
    assert unit_cost(Trial("t"), 64, 64, True) == pytest.approx(64 * 64)
    # Levels of 256, 128 and 64 pixels.
    assert levels(256, 256) == 2
    assert unit_cost(Trial("t"), 256, 256, True) == pytest.approx(256**2 * 1.25)
    assert unit_cost(Trial("t", coarse=STYLE_LAYERS[:4]), 64, 64, False) < 64 * 64
    assert unit_cost(Trial("t", share=0.5), 256, 256, True) == pytest.approx(128**2 * (1 + 0.25 * (levels(128, 128) > 1)))


def test_crops_are_whole_steps_and_never_larger_than_the_canvas() -> None:
    assert cropped(352, 520, 1.0) == (352, 520)
    assert cropped(352, 520, 0.5) == (160, 256) or cropped(352, 520, 0.5) == (192, 256)
    assert cropped(72, 136, 0.1) == (64, 64)


def test_layers_add_up_to_the_picture_and_pull_is_the_transpose() -> None:
    rng = np.random.default_rng(0)
    laplacian, picture = Laplacian(40, 56, 3), rng.random((40, 56, 3), np.float32)
    x = laplacian.split(picture)
    assert x.size == 3 * (40 * 56 + 20 * 28 + 10 * 14)
    np.testing.assert_allclose(laplacian.compose(x), picture, atol=1e-5)
    other, gradient = rng.standard_normal(x.size).astype(np.float32), rng.standard_normal(picture.shape).astype(np.float32)
    assert np.vdot(laplacian.compose(other), gradient) == pytest.approx(np.vdot(other, laplacian.pull(gradient)), rel=1e-3)


def test_no_gradient_pushes_a_colour_further_out() -> None:
    laplacian = Laplacian(8, 8, 1)
    falling = laplacian.through(lambda x: Evaluation(float(x.sum()), np.full(x.size, -1, np.float32), None))
    x = np.linspace(-1, 2, 192, dtype=np.float32)
    there = falling(x)
    assert there.loss == pytest.approx(float(np.clip(x, 0, 1).sum()), rel=1e-5)
    np.testing.assert_array_equal(there.gradient, np.where(x > 1, 0, -1))


def test_the_distance_of_gaussians_is_that_by_scipy() -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.standard_normal((1, 20, 20, 6)).astype(np.float32) @ rng.random((6, 6)).astype(np.float32) + 0.3 for _ in range(2))
    (mean, covariance), target = moments(tf.constant(one)), moments(tf.constant(other))
    ours = float(wasserstein2(mean, covariance, target, root_of(target[1])))
    first, second = covariance.numpy().astype(float), target[1].numpy().astype(float)
    between = scipy.linalg.sqrtm(scipy.linalg.sqrtm(second) @ first @ scipy.linalg.sqrtm(second)).real
    wanted = np.sum((mean.numpy() - target[0].numpy()) ** 2) + np.trace(first + second - 2 * between)
    assert ours == pytest.approx(wanted / 6, rel=1e-3)
    np.testing.assert_allclose(first, np.cov(one.reshape(-1, 6).T, bias=True) + 1e-4 * np.eye(6), atol=1e-4)


def test_the_gradient_of_the_distance_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(1)
    features, target = (tf.constant(rng.random((1, 6, 6, 4)), tf.float32) for _ in range(2))
    goal = moments(target)

    def distance(x: tf.Tensor) -> tf.Tensor:
        return wasserstein2(*moments(x), goal, root_of(goal[1]))

    with tf.GradientTape() as tape:
        tape.watch(features)
        value = distance(features)
    direction = tf.constant(rng.standard_normal((1, 6, 6, 4)), tf.float32)
    slope = (float(distance(features + 0.01 * direction)) - float(distance(features - 0.01 * direction))) / 0.02
    assert float(tf.reduce_sum(tape.gradient(value, features) * direction)) == pytest.approx(slope, rel=0.02)


def test_a_memory_carried_to_twice_the_size_has_a_quarter_of_the_gradient() -> None:
    def flat(size: int):
        return lambda x: Evaluation(float(np.mean((x - 0.5) ** 2)), (2 * (x - 0.5) / x.size).astype(np.float32), None)

    *_, small = adam(flat(16), np.full(16 * 16 * 3, 0.9, np.float32), 3, learning_rate=0.01)
    moved = carried(small.memory(), (16, 16), (32, 32))
    np.testing.assert_allclose(moved["mean"], small.memory()["mean"].mean() / 4, rtol=1e-3)
    np.testing.assert_allclose(moved["square"], small.memory()["square"].mean() / 16, rtol=1e-3)
    *_, curved = lbfgs(flat(16), np.linspace(0.1, 0.9, 16 * 16 * 3, dtype=np.float32), 3)
    before, after = curved.memory(), carried(curved.memory(), (16, 16), (32, 32))
    assert after["steps"].shape == (len(before["steps"]), 32 * 32 * 3)
    np.testing.assert_allclose(after["changes_largest"], before["changes_largest"] / 4)
    # What it carries over is of use: the quadratic's curvature is exact, so one step ends it.
    *_, last = lbfgs(flat(32), np.full(32 * 32 * 3, 0.45, np.float32), 1, memory=after)
    assert last.loss < 1e-5


def test_the_table_begins_with_the_lowest_loss() -> None:
    def record(name: str, loss: float) -> Record:
        painted = Painted(3.0, 5.0, None, None, 70, None, 1, {}, 0.1, "float32")
        return Record(name, ("chelsea", "night"), (512, 341), painted, Measures(loss / 2, loss / 2, 0.5, 0.7, None))

    text = page([record(BASE, 2.0), record("ladder", 1.0), record("adam", 3.0)], {BASE: 512.0**2, "ladder": 512.0**2, "adam": 1.0}, Plan())
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[1] for row in rows] == ["0.50", "1.00", "1.50"]
    assert "| √2 ladder | 0.50 | 1 of 1 | 0.500 | 0.500 | – | 0.500 | 1.0 | 70 | 3.0 |" in text
