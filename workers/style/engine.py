"""The engine: two pictures and parameters in, a painting out, with a record of each step."""

from __future__ import annotations

import logging
from contextlib import suppress
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.checkpoint import Checkpoint
from app.core.commission import Commission
from app.core.config import Settings
from app.core.errors import EngineError
from app.core.memory import SIZES, Canvas, Plan, free_bytes, plan, smallest
from app.core.progress import OnProgress, StopRequested
from app.core.specs import StyleParams, base_side
from workers.nets import weights
from workers.nets.adain_decoder import AdaINDecoder
from workers.nets.precision import choose, compiles, device, on_gpu
from workers.nets.vgg19 import VGG19, Padding, Pooling
from workers.style import pyramid
from workers.style.colours import prepared, recolour
from workers.style.descent import Descent, Steer
from workers.style.instant import Instant
from workers.style.objective import Objective, evaluation_cost
from workers.style.pyramid import Frame, Scale
from workers.style.regions import check_part, shares
from workers.style.resample import Picture, resize, shrink, to_uint8
from workers.style.showing import Showing
from workers.style.targets import JobTargets, Targets
from workers.style.tracker import Tracker

log = logging.getLogger(__name__)


class Engine:
    """Networks and graphs of one process, used for one picture at a time."""

    def __init__(self, settings: Settings, *, padding: Padding = "zero", pooling: Pooling = "avg") -> None:
        """Load the networks from the cache.

        Args:
            padding, pooling: of VGG19 in the objective; AdaIN keeps those its decoder was trained on.

        Raises:
            ArtefactError: weights missing or damaged.
            EngineError: no such precision, or setting of XLA.
        """
        self.precision = choose(settings.precision)
        self.device, self.xla = device(), compiles(settings.xla)
        self._dtype = tf.as_dtype(self.precision)
        self._vgg = VGG19(weights.load("vgg19", settings))
        self._padding, self._pooling = padding, pooling
        self._targets = Targets(self._vgg, self._dtype, padding=padding, pooling=pooling)
        self._instant = Instant(self._vgg, AdaINDecoder(weights.load("adain_decoder", settings)), self._dtype)
        self._objective = Objective(self._vgg, self._dtype, padding=padding, pooling=pooling, xla=self.xla)
        self._digests = {name: digest for name, digest in weights.digests(settings).items() if name in ("vgg19", "adain_decoder")}

    def facts(self) -> dict[str, Any]:
        """Return what a receipt states about this engine."""
        libraries = {"tensorflow": str(tf.__version__), "numpy": np.__version__}
        return {"weights": self._digests, "libraries": libraries, "precision": self.precision, "xla": self.xla, "device": self.device}

    def warm_up(self) -> None:
        """Build the graphs that pictures of every shape share, so that the first job need not wait for them."""
        grey = np.full((64, 64, 3), 128, np.uint8)
        # Where there is no room now, the picture that is asked for is refused in words, and not the worker.
        with suppress(EngineError):
            self.stylize(Commission.of(grey, grey, StyleParams(size=64, iterations=(1,))), lambda _: None)

    def stylize(
        self,
        commission: Commission,
        on_progress: OnProgress,
        *,
        resume: Checkpoint | None = None,
        steer: Steer | None = None,
    ) -> Picture:
        """Return the commission's content, painted in its style.

        Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks",
        2016, from coarse to fine, starting from AdaIN. Same arguments on the same machine:
        the same pixels.

        Args:
            commission: what to paint.
            on_progress: told of each step. May raise StopRequested: the best picture so
                far is returned at full size. Any other exception passes through.
            resume: state of an earlier run of the same commission, to go on from. One that
                does not fit it is left aside, with a line in the log.
            steer: asked before each iteration for the commission as it is wanted now; only
                what ``app.core.steering`` names may differ, and takes effect in that iteration.

        Returns:
            float32 RGB in [0, 1], longer side ``params.size``.

        Raises:
            PictureError: a picture too small or too long and thin, or nothing taken of one; ``field`` says which.
            EngineError: numbers that are not finite, or not enough memory.
        """
        content, params = commission.content, commission.params
        pyramid.check(content, "content")
        for one in commission.styles:
            pyramid.check(one.pixels, "style")
            check_part(one.part)
        if params.colours == "only":
            return recolour(commission, on_progress)
        commission = prepared(commission)
        frame = pyramid.frame(*content.shape[:2], params)
        scales = _scales(frame, commission)
        if resume and not _fits(resume, scales):
            log.warning("checkpoint left aside: it is of scale %d, %s, which is not planned", resume.scale, resume.canvas.shape)
            resume = None
        planned, refusal = self._planned(commission, resume)
        photograph = frame.pad(shrink(content, frame.height, frame.width))
        pixels = frame.canvas_height * frame.canvas_width
        costs = [evaluation_cost(scale, params.content_layer, planned.tile) for scale in scales]
        tracker = Tracker(on_progress, scales, side=params.size, pixels=pixels, costs=costs, resume=resume)
        showing = Showing(frame, photograph, commission.protect)
        best = resume.best if resume else photograph
        try:
            tracker.prepared()
            if resume is None:
                best = self._start(frame, photograph, commission)
            if resume or commission.start is not None or params.init == "adain":
                tracker.begun(showing.preview(best))
            if refusal is not None:
                raise refusal
            targets = JobTargets(self._targets, commission, frame, photograph, planned.tile, tracker.worked)
            descent = Descent(scales, commission, targets, self._objective, history=planned.history, resume=resume, steer=steer)
            for step in descent.steps(best):
                best = step.best
                tracker.iterated(step, showing.preview(step.current))
            tracker.finished(showing.preview(best))
        except StopRequested:
            pass
        except tf.errors.ResourceExhaustedError as error:
            raise EngineError(f"Not enough memory for a picture of {params.size} pixels. Choose a smaller size.") from error
        return showing.whole(best)

    def plan(self, commission: Commission, resume: Checkpoint | None = None) -> Plan:
        """Return how a commission is worked on within the memory that is free now.

        Args:
            resume: a state that is in memory already.

        Raises:
            EngineError: nothing fits; says which size would.
        """
        asked, halvings = commission.params.size, max(0, len(commission.params.iterations) - 1)
        smaller = (_canvas(commission, size) for size in SIZES if size < asked and base_side(size) >> halvings >= pyramid.MIN_SIDE)
        begun = resume.bytes if resume else 0
        return plan(_canvas(commission, asked), smaller, half=self._half, free=free_bytes(), begun=begun, roomy=not on_gpu())

    def _planned(self, commission: Commission, resume: Checkpoint | None) -> tuple[Plan, EngineError | None]:
        """Return the plan, and why it cannot be followed: what was begun may still be asked for as it is."""
        try:
            return self.plan(commission, resume), None
        except EngineError as error:
            if resume is None:
                raise
            return smallest(_canvas(commission, commission.params.size), half=self._half), error

    @property
    def _half(self) -> bool:
        return self.precision == "bfloat16"

    def instant(self, content: NDArray[np.uint8], style: NDArray[np.uint8], params: StyleParams, alpha: float = 1.0) -> NDArray[np.uint8]:
        """Return AdaIN's picture alone, as it was published, uint8 RGB; errors as for ``stylize``, ``alpha`` as for ``Instant.paint``."""
        pyramid.check(content, "content")
        pyramid.check(style, "style")
        frame = pyramid.frame(*content.shape[:2], params)
        photograph = frame.pad(shrink(content, frame.height, frame.width))
        return to_uint8(frame.crop(self._instant.paint(photograph, _painting(style, params.size, params), alpha)))

    def _start(self, frame: Frame, photograph: Picture, commission: Commission) -> Picture:
        params, start = commission.params, commission.start
        if start is not None:
            given = start.astype(np.float32) / np.float32(255 if start.dtype == np.uint8 else 1)
            return frame.pad(np.clip(resize(given, frame.height, frame.width), 0.0, 1.0))
        if params.init == "noise":
            return np.random.default_rng(params.seed).random(photograph.shape, np.float32)
        if params.init == "content":
            return photograph
        # Beyond the base AdaIN would paint smaller strokes: it is enlarged instead.
        height, width = pyramid.base(frame, params)
        small = np.clip(resize(photograph, height, width), 0.0, 1.0)
        paintings = [_painting(style.pixels, base_side(params.size), params) for style in commission.styles]
        parts = [style.part for style in commission.styles]
        made = self._instant.blend(small, paintings, parts, shares(commission.styles, frame, height, width))
        return _full(made, frame)


def _painting(pixels: NDArray[np.uint8], longer: int, params: StyleParams) -> Picture:
    """Return a painting as AdaIN is shown it where the canvas is ``longer`` pixels."""
    return shrink(pixels, *pyramid.painted_sides(pixels, round(longer * params.style_scale)))


def _full(picture: Picture, frame: Frame) -> Picture:
    return resize(picture, frame.canvas_height, frame.canvas_width)


def _canvas(commission: Commission, size: int) -> Canvas:
    """Return what is worked on for this commission at a size."""
    params = commission.params.model_copy(update={"size": size})
    frame = pyramid.frame(*commission.content.shape[:2], params)
    whole, shown = (
        max((pyramid.painted_sides(style.pixels, round(side * params.style_scale)) for style in commission.styles), key=prod)
        for side in (size, base_side(size))
    )
    return Canvas(size, frame.canvas_height, frame.canvas_width, painting=whole, uncut=prod(shown))


def _scales(frame: Frame, commission: Commission) -> list[Scale]:
    """Return what is to be worked on: of a picture that is begun already, only what is larger than it, or else the last."""
    planned = pyramid.scales(frame, commission.params)
    if commission.start is None:
        return planned
    begun = max(commission.start.shape[:2])
    return [scale for scale in planned if scale.side > begun] or planned[-1:]


def _fits(checkpoint: Checkpoint, scales: list[Scale]) -> bool:
    if not 0 <= checkpoint.scale < len(scales):
        return False
    scale = scales[checkpoint.scale]
    shape = scale.height, scale.width, 3
    return checkpoint.canvas.shape == checkpoint.best.shape == shape and checkpoint.done <= scale.iterations
