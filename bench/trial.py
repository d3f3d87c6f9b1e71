"""One way to go from the instant picture to the finished one, as data, and how it is gone (experiment)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.specs import STYLE_LAYERS, resolve
from bench.flops import network
from bench.laplacian import Laplacian
from bench.plain import at
from bench.trial_objective import CONTENT, TrialObjective, cropped, levels
from bench.warm import carried
from workers.nets.vgg19 import VGG19
from workers.style import pyramid
from workers.style.instant import Instant
from workers.style.optimiser import Memory, adam, lbfgs
from workers.style.pyramid import Frame
from workers.style.resample import Picture, resize, shrink, to_uint8

_RATE = 0.02


@dataclass(frozen=True)
class Trial:
    """A recipe.

    Attributes:
        title: for the table.
        scales: share of the size and iterations of each, coarse to fine; iterations are stretched to the cost that is asked for.
        optimiser, finest: of the scales before the last, and of the last.
        average: decay of the mean of iterates that is handed on in their place; 0 is none.
        warm: the next scale begins with the optimiser's memory of the last.
        gaussian: mean and covariance instead of Gram matrices at the finest scale.
        layers: of a Laplacian pyramid that is worked on in place of the picture; 1 is the picture.
        coarse: layers of the style at the scales before the last.
        share: of each side that an evaluation at the finest scale looks at.
    """

    title: str
    scales: tuple[tuple[float, int], ...] = ((0.5, 50), (1.0, 20))
    optimiser: Literal["lbfgs", "adam"] = "lbfgs"
    finest: Literal["lbfgs", "adam"] = "lbfgs"
    average: float = 0.0
    warm: bool = False
    gaussian: bool = False
    layers: int = 1
    coarse: tuple[str, ...] = STYLE_LAYERS
    share: float = 1.0


@dataclass(frozen=True)
class Stage:
    """One scale of a trial on one canvas, its iterations known."""

    height: int
    width: int
    longer: int
    iterations: int
    is_last: bool


def unit_cost(trial: Trial, height: int, width: int, is_last: bool) -> float:
    """Return the cost of one evaluation in pixels: those of a one-level evaluation with every layer that takes as many operations."""
    layers = STYLE_LAYERS if is_last else trial.coarse
    rows, columns = cropped(height, width, trial.share if is_last else 1.0)
    work = sum(network(rows >> level, columns >> level, (*layers, CONTENT), layers).total for level in range(levels(rows, columns)))
    whole = 256
    return work / network(whole, whole).total * whole**2


def stages(trial: Trial, frame: Frame, cost: float) -> list[Stage]:
    """Return the trial's scales on a canvas, with the iterations that make it cost ``cost`` pixels.

    The evaluation that each scale begins with is counted. Rounding is made good at the last scale,
    so that two trials of the same cost differ by less than one evaluation there.
    """
    canvases = _canvases(trial, frame)
    units = [unit for _, unit in canvases]
    stretch = (cost - sum(units)) / sum(unit * count for unit, (_, count) in zip(units, trial.scales, strict=True))
    counts = [max(1, round(count * stretch)) for _, count in trial.scales]
    before = sum(unit * (count + 1) for unit, count in zip(units[:-1], counts[:-1], strict=True))
    # The small number: a whole count must not be lost to rounding.
    counts[-1] = max(1, int((cost - before) / units[-1] + 1e-6) - 1)
    last = len(canvases) - 1
    return [Stage(*canvas, count, number == last) for number, ((canvas, _), count) in enumerate(zip(canvases, counts, strict=True))]


def cost(trial: Trial, frame: Frame, counts: Sequence[int]) -> float:
    """Return what ``counts`` iterations at the trial's scales cost, in pixels."""
    return sum(unit * (count + 1) for (_, unit), count in zip(_canvases(trial, frame), counts, strict=True))


def _canvases(trial: Trial, frame: Frame) -> list[tuple[tuple[int, int, int], float]]:
    """Return height, width and longer side of the picture of each scale, and the cost of an evaluation there."""
    found = []
    for number, (share, _) in enumerate(trial.scales, 1):
        height, width, longer = (round(side * share) for side in (frame.canvas_height, frame.canvas_width, max(frame.height, frame.width)))
        found.append(((height, width, longer), unit_cost(trial, height, width, number == len(trial.scales))))
    return found


def frame_of(content: NDArray[np.uint8], size: int) -> Frame:
    return pyramid.frame(*content.shape[:2], resolve("default", {"size": size}))


def paint(
    trial: Trial,
    vgg: VGG19,
    instant: Instant,
    dtype: tf.DType,
    content: NDArray[np.uint8],
    style: NDArray[np.uint8],
    size: int,
    budget: float,
) -> tuple[NDArray[np.uint8], int]:
    """Return the finished picture, uint8, longer side ``size``, and the iterations it took."""
    frame = frame_of(content, size)
    photograph = frame.pad(shrink(content, frame.height, frame.width))
    picture = instant.paint(photograph, at(style, size))
    rng = np.random.default_rng(0)
    memory, before = None, None
    count = 0
    for stage in stages(trial, frame, budget):
        shape = stage.height, stage.width
        picture = np.clip(resize(picture, *shape), 0.0, 1.0)
        objective = TrialObjective(
            vgg,
            dtype,
            resize(photograph, *shape),
            style,
            stage.longer,
            picture,
            layers=STYLE_LAYERS if stage.is_last else trial.coarse,
            gaussian=trial.gaussian and stage.is_last,
            share=trial.share if stage.is_last else 1.0,
            rng=rng,
        )
        warm = carried(memory, before, shape) if trial.warm and memory and before else None
        picture, memory = _descended(trial, stage, objective, picture, warm)
        before = shape
        count += stage.iterations
    full = resize(picture, frame.canvas_height, frame.canvas_width)
    return to_uint8(frame.crop(full)), count


def _descended(trial: Trial, stage: Stage, objective: TrialObjective, picture: Picture, memory: Memory | None) -> tuple[Picture, Memory]:
    evaluate, start, bounds = objective.evaluate, picture.ravel(), (0.0, 1.0)
    pyramid_ = Laplacian(*picture.shape[:2], trial.layers) if trial.layers > 1 else None
    if pyramid_:
        evaluate, start, bounds = pyramid_.through(evaluate), pyramid_.split(picture), (-np.inf, np.inf)
    low, high = bounds
    if (trial.finest if stage.is_last else trial.optimiser) == "adam":
        iterates = adam(evaluate, start, stage.iterations, learning_rate=_RATE, memory=memory, low=low, high=high)
    else:
        iterates = lbfgs(evaluate, start, stage.iterations, memory=memory, low=low, high=high)
    mean, best = np.zeros_like(start), np.inf
    for iterate in iterates:
        mean += np.float32(1 - trial.average) * (iterate.x - mean)
        # A loss of crops is a sample: the last is as good as any.
        if iterate.loss <= best or trial.share < 1:
            best, kept = iterate.loss, iterate.x
    if trial.average:
        kept = mean / np.float32(1 - trial.average**stage.iterations)
    found = pyramid_.compose(kept) if pyramid_ else kept.reshape(picture.shape)
    return np.clip(found, 0.0, 1.0), iterate.memory()
