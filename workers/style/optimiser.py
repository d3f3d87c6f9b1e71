"""Descent on a picture within its colour range: L-BFGS and Adam, in NumPy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.core.errors import EngineError

Vector = NDArray[np.float32]
# What an optimiser needs, besides the point itself, to go on from there.
Memory = Mapping[str, NDArray[np.generic]]
T = TypeVar("T")

HISTORY = 15
# Pairs that a memory keeps: enough that a resumed run ends where an undisturbed one does.
REMEMBERED = 5
# Root mean square change of the first step, and the most any number may change in one step.
FIRST_STEP, LARGEST_STEP = 0.02, 0.1
# A step that multiplies the loss by more than this is taken back.
_WORSE = 3.0
_REFUSALS = 8


@dataclass(frozen=True)
class Evaluation(Generic[T]):
    """The objective at one point: its value, gradient, and whatever else the caller wants kept."""

    loss: float
    gradient: Vector
    terms: T

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.loss)) and bool(np.isfinite(self.gradient).all())


@dataclass(frozen=True)
class Iterate(Generic[T]):
    """Where the descent stands after an iteration, and what to go on with from there."""

    x: Vector
    loss: float
    terms: T
    memory: Callable[[], Memory]


Evaluate = Callable[[Vector], Evaluation[T]]
_Pair = tuple[Vector, Vector, float]


def _never() -> bool:
    return False


def lbfgs(
    evaluate: Evaluate[T],
    start: Vector,
    iterations: int,
    *,
    history: int = HISTORY,
    memory: Memory | None = None,
    changed: Callable[[], bool] = _never,
    low: float = 0.0,
    high: float = 1.0,
) -> Iterator[Iterate[T]]:
    """Yield the iterates of L-BFGS, each one evaluation further.

    Two-loop recursion (Nocedal and Wright, 2006, algorithm 7.4) without a line search:
    a step is clipped to ``LARGEST_STEP``, projected on [low, high], and taken back with a
    shorter limit if the loss more than triples. Pairs without positive curvature are left out.

    Args:
        evaluate: gives loss and gradient at a float32 vector.
        start: float32 (n,); projected on [low, high].
        iterations: how many to yield.
        history: pairs remembered, each twice the size of ``start``.
        memory: of the iterate that ``start`` was, to go on from it.
        changed: asked before each iteration: True where ``evaluate`` has changed since, so that
            the point is evaluated again. Its curvature is still a good first guess.
        low, high: bounds of every number.

    Raises:
        EngineError: loss or gradient not finite at the start, or at every step tried from there on.
    """
    x = np.clip(start, low, high).astype(np.float32)
    here = _finite(evaluate(x))
    pairs: deque[_Pair] = deque(_unpacked(memory) if memory else (), maxlen=history)
    limit, refused = float(memory["limit"]) if memory else LARGEST_STEP, 0
    for _ in range(iterations):
        if changed():
            here = _finite(evaluate(x))
        direction = _direction(here.gradient, pairs)
        largest = float(np.abs(direction).max())
        if largest > limit:
            direction *= np.float32(limit / largest)
        tried = np.clip(x + direction, low, high)
        there = evaluate(tried)
        if not there.finite or there.loss > _WORSE * here.loss + 1e-12:
            refused += 1
            if refused == _REFUSALS and not there.finite:
                raise _not_finite(there)
            pairs.clear()
            limit /= 4
        else:
            refused = 0
            limit = min(LARGEST_STEP, 2 * limit)
            pair = _pair(tried - x, there.gradient - here.gradient)
            if pair:
                pairs.append(pair)
            x, here = tried, there
        yield Iterate(x, here.loss, here.terms, partial(_packed, tuple(pairs)[-REMEMBERED:], limit))


def _pair(step: Vector, change: Vector) -> _Pair | None:
    curvature = float(np.dot(step, change))
    return (step, change, 1 / curvature) if curvature > 1e-10 * float(np.dot(change, change)) else None


def _packed(pairs: Sequence[_Pair], limit: float) -> Memory:
    """Return pairs as float16, each vector divided by its largest number, which is kept beside it."""
    found: dict[str, NDArray[np.generic]] = {"limit": np.float32(limit).reshape(())}
    for name, vectors in (("steps", [pair[0] for pair in pairs]), ("changes", [pair[1] for pair in pairs])):
        largest = np.array([max(float(np.abs(vector).max()), 1e-30) for vector in vectors], np.float32)
        found[f"{name}_largest"] = largest
        found[name] = np.array([vector / most for vector, most in zip(vectors, largest, strict=True)], np.float16)
    return found


def _unpacked(memory: Memory) -> Iterator[_Pair]:
    steps, changes = (
        [vector.astype(np.float32) * most for vector, most in zip(memory[name], memory[f"{name}_largest"], strict=True)]
        for name in ("steps", "changes")
    )
    for step, change in zip(steps, changes, strict=True):
        if pair := _pair(step, change):
            yield pair


def _direction(gradient: Vector, pairs: deque[_Pair]) -> Vector:
    """Return −H·gradient, H being the inverse Hessian that the pairs suggest."""
    q = -gradient
    if not pairs:
        return q * np.float32(FIRST_STEP / max(float(np.sqrt(np.mean(np.square(q)))), 1e-30))
    alphas = []
    for step, change, rho in reversed(pairs):
        alpha = rho * float(np.dot(step, q))
        alphas.append(alpha)
        q -= np.float32(alpha) * change
    _, change, rho = pairs[-1]
    q *= np.float32(1 / (rho * float(np.dot(change, change))))
    for (step, change, rho), alpha in zip(pairs, reversed(alphas), strict=True):
        q += np.float32(alpha - rho * float(np.dot(change, q))) * step
    return q


def adam(
    evaluate: Evaluate[T],
    start: Vector,
    iterations: int,
    *,
    learning_rate: float,
    memory: Memory | None = None,
    changed: Callable[[], bool] = _never,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    low: float = 0.0,
    high: float = 1.0,
) -> Iterator[Iterate[T]]:
    """Yield the iterates of Adam (Kingma and Ba, 2015, algorithm 1), projected on [low, high].

    Arguments as for ``lbfgs``.

    Raises:
        EngineError: loss or gradient not finite.
    """
    x = np.clip(start, low, high).astype(np.float32)
    mean, square, first = np.zeros_like(x), np.zeros_like(x), 1
    if memory:
        mean, square, first = np.array(memory["mean"]), np.array(memory["square"]), int(memory["number"]) + 1
    here = _finite(evaluate(x))
    for number in range(first, first + iterations):
        if changed():
            here = _finite(evaluate(x))
        # New arrays: a memory that was handed out stays what it was.
        mean = mean + np.float32(1 - beta1) * (here.gradient - mean)
        square = square + np.float32(1 - beta2) * (np.square(here.gradient) - square)
        scale = np.sqrt(square / np.float32(1 - beta2**number)) + np.float32(epsilon)
        x = np.clip(x - np.float32(learning_rate / (1 - beta1**number)) * mean / scale, low, high)
        here = _finite(evaluate(x))
        yield Iterate(x, here.loss, here.terms, partial(_moments, mean, square, number))


def _moments(mean: Vector, square: Vector, number: int) -> Memory:
    return {"mean": mean, "square": square, "number": np.array(number)}


def _finite(evaluation: Evaluation[T]) -> Evaluation[T]:
    if not evaluation.finite:
        raise _not_finite(evaluation)
    return evaluation


def _not_finite(evaluation: Evaluation[T]) -> EngineError:
    return EngineError(
        "The painting ran into numbers that are not finite. Lower the strength, content weight or learning rate."
        f" Received: a loss of {evaluation.loss}."
    )
