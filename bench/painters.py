"""One painter for each kind of system, all asked in the same way, networks loaded beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.commission import Commission
from app.core.config import Settings
from app.core.progress import Progress
from app.core.specs import resolve
from bench.flops import Work, evaluation, network
from bench.plain import PlainObjective, at
from bench.plan import Plan
from bench.systems import System
from workers.nets import weights
from workers.nets.adain_decoder import AdaINDecoder
from workers.nets.precision import choose
from workers.nets.vgg19 import VGG19
from workers.style import pyramid
from workers.style.engine import Engine
from workers.style.instant import Instant
from workers.style.optimiser import adam, lbfgs
from workers.style.resample import resize, to_uint8


@dataclass(frozen=True)
class Result:
    """A finished picture, when the first one was shown, how long iterations at full size took, and the work in each."""

    pixels: NDArray[np.uint8]
    first: float | None
    seconds: list[float]
    iterations: int
    work: Work | None
    precision: str

    @property
    def iteration(self) -> float | None:
        return median(self.seconds) if self.seconds else None


Paint = Callable[[NDArray[np.uint8], NDArray[np.uint8]], Result]


def engine(system: System, plan: Plan) -> Paint:
    """Return our engine, warm, as a worker has it."""
    ours = Engine(Settings(precision=system.precision))
    ours.warm_up()
    asked = resolve(system.preset, {"size": plan.size, **system.changes})
    params = resolve(system.preset, {"size": plan.size, **system.changes, "iterations": tuple(map(plan.iterations, asked.iterations))})

    def paint(content: NDArray[np.uint8], style: NDArray[np.uint8]) -> Result:
        began = last = time.perf_counter()
        first: list[float] = []
        finest: list[float] = []
        done = 0

        def follow(progress: Progress) -> None:
            nonlocal last, done
            now = time.perf_counter()
            if progress.preview is not None:
                first.append(now - began)
            if progress.stage == "refine" and progress.losses is None:
                return
            if progress.stage == "refine" and progress.scale == plan.size:
                finest.append(now - last)
            last, done = now, progress.iteration

        pixels = to_uint8(ours.stylize(Commission.of(content, style, params), follow))
        scales = pyramid.scales(pyramid.frame(*content.shape[:2], params), params)
        work = evaluation(scales[-1].height, scales[-1].width, scales[-1].levels) if scales else None
        # The first at a scale evaluates twice, and builds the graph.
        return Result(pixels, first[0], finest[1:], done, work, ours.precision)

    return paint


def tutorial(system: System, plan: Plan) -> Paint:
    """Return the plain run from the photograph: Adam 0.02, β₁ 0.99, ε 0.1, float32, one scale."""
    vgg = VGG19(weights.load("vgg19", Settings()))
    count = plan.iterations(system.iterations) or plan.tutorial

    def paint(content: NDArray[np.uint8], style: NDArray[np.uint8]) -> Result:
        start = at(content, plan.size)
        objective = PlainObjective(vgg, tf.float32, start, at(style, plan.size))
        seconds: list[float] = []
        last = time.perf_counter()
        for iterate in adam(objective.evaluate, start.ravel(), count, learning_rate=0.02, beta1=0.99, epsilon=0.1):  # noqa: B007
            now = time.perf_counter()
            seconds.append(now - last)
            last = now
        return Result(to_uint8(iterate.x.reshape(start.shape)), None, seconds[1:], count, network(*start.shape[:2]), "float32")

    return paint


def recipe(system: System, plan: Plan) -> Paint:
    """Return AdaIN, then L-BFGS at one scale after another, each alone, clipped only at the end."""
    settings = Settings()
    precision = choose(settings.precision)
    dtype = tf.as_dtype(precision)
    vgg = VGG19(weights.load("vgg19", settings))
    instant = Instant(vgg, AdaINDecoder(weights.load("adain_decoder", settings)), dtype)
    begins, schedule = system.schedule

    def paint(content: NDArray[np.uint8], style: NDArray[np.uint8]) -> Result:
        canvas = at(content, plan.size // begins)
        height, width = (-(-side // 8) * 8 for side in canvas.shape[:2])
        picture = instant.paint(resize(canvas, height, width), at(style, plan.size // begins))
        done = 0
        for divisor, iterations in schedule:
            target = at(content, plan.size // divisor)
            objective = PlainObjective(vgg, dtype, target, at(style, plan.size // divisor))
            start = resize(picture, *target.shape[:2])
            seconds: list[float] = []
            last = time.perf_counter()
            for iterate in lbfgs(objective.evaluate, start.ravel(), plan.iterations(iterations), low=-np.inf, high=np.inf):  # noqa: B007
                now = time.perf_counter()
                seconds.append(now - last)
                last = now
            picture = iterate.x.reshape(target.shape)
            done += plan.iterations(iterations)
        return Result(to_uint8(picture), None, seconds[1:], done, network(*picture.shape[:2]), precision)

    return paint


PAINTERS: dict[str, Callable[[System, Plan], Paint]] = {"engine": engine, "tutorial": tutorial, "recipe": recipe}
