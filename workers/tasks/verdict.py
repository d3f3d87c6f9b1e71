"""A verdict as a task: one wake-up, at most one job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.verdicts import FrameScore, Judgement, OnVerdictStep, Role, Score, Verdict, VerdictStage, VerdictStep, became_stylised
from app.core.version import VERSION
from workers.runtime.judging import Case, Judging
from workers.runtime.life import Runtime

Pixels = NDArray[np.uint8]


class Detector(Protocol):
    """What judges: ``workers.verdict.judge.Judge``. Pictures are uint8 RGB of shape (height, width, 3)."""

    def using(self, data: bytes) -> Detector: ...
    def facts(self) -> dict[str, Any]: ...
    def judge(self, pixels: Pixels) -> Judgement: ...
    def probabilities(self, pictures: Iterable[Pixels]) -> Iterator[Score]: ...


def run(runtime: Runtime, load: Callable[[], Detector]) -> bool:
    """Carry the fairest waiting verdict to its end. False: none was waiting."""
    return runtime.run_one(Judging, lambda case, on_step: judge(load, case, on_step))


def judge(load: Callable[[], Detector], case: Case, on_step: OnVerdictStep) -> Verdict:
    """Judge the pictures of ``case`` with evidence, and score the frames of its run.

    Args:
        on_step: may raise ``StopRequested``, which ends the work with nothing.
    """
    began = time.monotonic()
    planned = len(case.pictures) + len(case.frames)
    done = 0

    def tell(stage: VerdictStage) -> None:
        elapsed = time.monotonic() - began
        on_step(VerdictStep(stage, done / planned, elapsed, elapsed / done * (planned - done) if done else None))

    tell("prepare")
    detector = load()
    if case.detector is not None:
        detector = detector.using(case.detector)
    judgements: dict[Role, Judgement] = {}
    for role, read in case.pictures:
        tell("judge")
        judgements[role] = detector.judge(read())
        done += 1
    frames: list[FrameScore] = []
    for (frame, _), score in zip(case.frames, detector.probabilities(read() for _, read in case.frames), strict=True):
        tell("frames")
        frames.append(FrameScore(iteration=frame.iteration, name=frame.name, probability=score.probability))
        done += 1
    return Verdict(
        judgements=judgements,
        frames=tuple(frames),
        became=became_stylised(tuple(frames), judgements["result"].band) if frames else None,
        facts={"version": VERSION, **detector.facts(), "elapsed": round(time.monotonic() - began, 3)},
    )
