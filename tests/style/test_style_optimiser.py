from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize

from app.core.errors import EngineError
from workers.style.optimiser import Evaluation, adam, lbfgs

Function = Callable[[np.ndarray], float]


def evaluating(value: Function, gradient: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], Evaluation[None]]:
    return lambda x: Evaluation(float(value(x.astype(np.float64))), gradient(x.astype(np.float64)).astype(np.float32), None)


rosenbrock = evaluating(scipy.optimize.rosen, scipy.optimize.rosen_der)


def quadratic(size: int = 40, condition: float = 200.0) -> tuple[Callable[[np.ndarray], Evaluation[None]], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    basis, _ = np.linalg.qr(rng.standard_normal((size, size)))
    matrix = basis @ np.diag(np.geomspace(1, condition, size)) @ basis.T
    goal = rng.uniform(0.2, 0.8, size)
    return evaluating(lambda x: 0.5 * (x - goal) @ matrix @ (x - goal), lambda x: matrix @ (x - goal)), goal, matrix


def test_lbfgs_finds_the_minimum_of_rosenbrock_as_scipy_does() -> None:
    start = np.array([-1.2, 1.0], np.float32)
    scipys = scipy.optimize.minimize(scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method="L-BFGS-B")
    last = list(lbfgs(rosenbrock, start, 150, low=-3.0, high=3.0))[-1]
    np.testing.assert_allclose(last.x, scipys.x, atol=2e-3)


def test_lbfgs_solves_an_ill_conditioned_quadratic_where_adam_is_still_on_the_way() -> None:
    evaluate, goal, _ = quadratic()
    start = np.zeros_like(goal, np.float32)
    mine = list(lbfgs(evaluate, start, 60))[-1]
    theirs = list(adam(evaluate, start, 60, learning_rate=0.02))[-1]
    np.testing.assert_allclose(mine.x, goal, atol=2e-3)
    assert mine.loss < 0.01 * theirs.loss


def test_lbfgs_stays_in_range_and_finds_the_bounded_minimum_of_a_separable_function() -> None:
    goal = np.array([-0.5, 0.3, 1.7], np.float32)
    found = list(lbfgs(evaluating(lambda x: float(np.sum((x - goal) ** 2)), lambda x: 2 * (x - goal)), np.full(3, 0.5, np.float32), 40))
    assert all(iterate.x.min() >= 0 and iterate.x.max() <= 1 for iterate in found)
    np.testing.assert_allclose(found[-1].x, [0.0, 0.3, 1.0], atol=1e-3)


def test_lbfgs_takes_no_step_longer_than_the_limit() -> None:
    evaluate, goal, _ = quadratic(condition=1e4)
    points = [np.zeros_like(goal, np.float32), *(iterate.x for iterate in lbfgs(evaluate, np.zeros_like(goal, np.float32), 20))]
    assert max(float(np.abs(b - a).max()) for a, b in pairwise(points)) <= 0.1 + 1e-6


def test_lbfgs_takes_back_a_step_that_makes_things_much_worse() -> None:
    # A wall at 0.5: the first steps run into it, shorter ones do not.
    def evaluate(x: np.ndarray) -> Evaluation[None]:
        loss = float(np.sum((x - 0.49) ** 2)) + (1e3 if x.max() > 0.5 else 0.0)
        return Evaluation(loss, (2 * (x - 0.49)).astype(np.float32), None)

    losses = [iterate.loss for iterate in lbfgs(evaluate, np.array([0.48], np.float32), 20)]
    assert max(losses) < 1 and losses[-1] < losses[0] * 1.01 and losses[-1] < 1e-4


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_numbers_that_are_not_finite_end_with_an_error(method: str) -> None:
    def evaluate(_: np.ndarray) -> Evaluation[None]:
        return Evaluation(float("nan"), np.zeros(2, np.float32), None)

    start = np.full(2, 0.5, np.float32)
    with pytest.raises(EngineError, match="not finite"):
        list(lbfgs(evaluate, start, 3) if method == "lbfgs" else adam(evaluate, start, 3, learning_rate=0.1))


def test_lbfgs_gives_up_where_every_step_is_not_finite() -> None:
    def evaluate(x: np.ndarray) -> Evaluation[None]:
        return Evaluation(1.0 if (x == 0.5).all() else float("inf"), np.ones(2, np.float32), None)

    with pytest.raises(EngineError, match="not finite"):
        list(lbfgs(evaluate, np.full(2, 0.5, np.float32), 50))


def test_adam_takes_the_papers_first_two_steps() -> None:
    found = [
        float(i.x[0])
        for i in adam(evaluating(lambda x: float(x[0] ** 2), lambda x: 2 * x), np.array([0.5], np.float32), 2, learning_rate=0.1)
    ]
    # By hand: the first step is the learning rate; for the second m = 0.09·1 + 0.1·0.8, v = 0.000999·1 + 0.001·0.64.
    mean, square = (0.9 * 0.1 * 1.0 + 0.1 * 0.8) / (1 - 0.81), (0.999 * 0.001 * 1.0 + 0.001 * 0.64) / (1 - 0.999**2)
    assert found == pytest.approx([0.4, 0.4 - 0.1 * mean / square**0.5], abs=1e-6)
