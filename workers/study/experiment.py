"""One experiment from pictures to report: describe, learn, classify, measure."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.core.errors import InputError
from app.core.experiments import EvaluationStep, ExperimentSpec
from app.core.features import FEATURES
from app.core.progress import StopRequested
from app.core.report import Report
from app.core.studies import OnStudyStep, StudyStage, StudyStep
from workers.study.describer import Describer
from workers.study.keeping import can_be_kept, detector_of
from workers.study.learner import learner
from workers.study.specimens import Specimen, table_of
from workers.verdict.evaluate import evaluate

# Share of the work that describing the pictures is taken for; the network's cost and the classifiers' vary too much to know before.
_DESCRIBING = 0.4
# Where a picture takes less than this, its features are remembered or the machine is fast, and the rest is more of the work.
_SECONDS_A_PICTURE = 0.04


@dataclass(frozen=True)
class Conducted:
    """A finished experiment.

    Attributes:
        report: everything measured.
        detector: the file of a detector made of it, or None where its classifier cannot be one.
    """

    report: Report
    detector: bytes | None


def conduct(
    specimens: Sequence[Specimen], spec: ExperimentSpec, describer: Describer, on_step: OnStudyStep, *, largest: int | None = None
) -> Conducted:
    """Carry an experiment out.

    Args:
        specimens: the pictures, originals and stylised ones.
        spec: what to measure.
        describer: turns pixels into features; one that remembers makes a second experiment quick.
        on_step: told of each step; may raise StopRequested: while pictures are described it passes
            through, afterwards the report tells what was finished.
        largest: see ``table_of``.

    Raises:
        InputError: pictures of which no experiment can be made, or a spec that contradicts itself.
    """
    counts = Counter(one.label for one in specimens)
    if min(counts[0], counts[1]) < 2:
        raise InputError(
            f"An experiment needs at least two originals and two stylised pictures. Received {counts[0]} original, {counts[1]} stylised."
        )
    teller = _Teller(on_step, len(specimens))
    teller.tell("prepare", 0.0)
    table = table_of(
        specimens,
        FEATURES[spec.features],
        describer,
        largest=largest,
        views=spec.training.pairs == "augmented" and spec.training.objective != "none",
        on_progress=teller.described,
    )
    report = evaluate(table, spec, learner(spec.training), teller.evaluated)
    keep = can_be_kept(spec) and not report.stopped
    return Conducted(report, detector_of(table, spec, report, largest, teller.finishing) if keep else None)


class _Teller:
    """Puts the parts of the work together as one, with the time it takes."""

    def __init__(self, on_step: OnStudyStep, pictures: int) -> None:
        self._on_step, self._pictures = on_step, pictures
        self._began = time.monotonic()
        self._described = 0
        self._began_evaluating: float | None = None
        self._newest: EvaluationStep | None = None
        self._begun: set[tuple[str, int, str]] = set()
        # Done of the whole, and of it what describing came to.
        self._fraction = self._share = 0.0

    def described(self, done: int, planned: int) -> None:
        """What took no time moves nothing, so that remembered features do not make the percent leap."""
        self._described = min(done, self._pictures)
        took = (time.monotonic() - self._began) / _SECONDS_A_PICTURE
        self._share = max(self._share, _DESCRIBING * min(done, took) / planned)
        self.tell("describe", self._share)

    def evaluated(self, step: EvaluationStep) -> None:
        self._began_evaluating = self._began_evaluating or time.monotonic()
        self._newest = step
        self._begun.add((step.split, step.seed, step.held_out))
        finished = len(self._begun) - (step.stage in ("train", "classify"))
        self.tell(step.stage, self._share + (1 - self._share) * step.fraction, step, finished)

    def finishing(self) -> None:
        """Everything is measured, so a stop changes nothing any more."""
        with suppress(StopRequested):
            self.tell("finish", 1.0, self._newest, len(self._begun))

    def tell(self, stage: StudyStage, fraction: float, evaluation: EvaluationStep | None = None, runs: int = 0) -> None:
        elapsed = time.monotonic() - self._began
        # A run that is given up takes its part of the work with it.
        self._fraction = max(self._fraction, fraction)
        self._on_step(
            StudyStep(stage, self._fraction, elapsed, self._remaining(evaluation), self._described, self._pictures, runs, evaluation)
        )

    def _remaining(self, evaluation: EvaluationStep | None) -> float | None:
        """While pictures are described, the cost of the rest is not known yet."""
        if evaluation is None or self._began_evaluating is None or evaluation.fraction < 0.02:
            return None
        spent = time.monotonic() - self._began_evaluating
        return spent / evaluation.fraction * (1 - evaluation.fraction)
