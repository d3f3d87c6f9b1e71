"""A study of the Lab as a task: one wake-up, at most one job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.experiments import ExperimentSpec
from app.core.hypothesis import AUGMENTATIONS, CONTRASTS, HypothesisSpec, HypothesisStep
from app.core.studies import OnStudyStep, StudyStep
from app.lab.experiments import EVALUATION
from app.lab.hypotheses import HYPOTHESIS, PARTS
from workers.runtime.experimenting import Experimenting, Found, Study, samples_of
from workers.runtime.life import Runtime

if TYPE_CHECKING:
    from workers.study.describer import Describer
    from workers.style.engine import Engine


@dataclass(frozen=True)
class Tools:
    """What a study may need, each loaded when it is first asked for.

    Attributes:
        describer: turns pictures into features, with a memory of those it has seen.
        engine: stylises.
        features: folder where features are remembered.
    """

    describer: Callable[[], Describer]
    engine: Callable[[], Engine]
    features: Path


def run(runtime: Runtime, describer: Callable[[], Describer], engine: Callable[[], Engine]) -> bool:
    """Carry the fairest waiting study to its end. False: none was waiting."""
    tools = Tools(describer, engine, runtime.clients.settings.data / "features")
    return runtime.run_one(Experimenting, lambda study, on_step: STUDIES[study.name](study, tools, on_step))


def evaluation(study: Study, tools: Tools, on_step: OnStudyStep) -> Found:
    """Original against stylised: every split, every seed."""
    # Only now: scikit-learn and TensorFlow are loaded in the child.
    from workers.study.experiment import conduct
    from workers.study.specimens import Specimen

    samples = samples_of(study)
    specimens = [
        Specimen(one.name, one.label, one.content, one.read, one.style, one.generator, style_print=one.style_print, sent=one.sent)
        for one in samples
    ]
    done = conduct(specimens, ExperimentSpec.model_validate(study.params), tools.describer(), on_step, largest=study.largest)
    return Found.of(done.report, done.detector)


def hypothesis(study: Study, tools: Tools, on_step: OnStudyStep) -> Found:
    """Does style transfer with contrastive learning make classification better?"""
    from workers.study.hypothesis import run as try_out
    from workers.study.labelled import Labelled, StylePicture
    from workers.study.painter import adain

    spec = HypothesisSpec.model_validate(study.params)
    given = [Labelled(row.name, row.klass, row.domain, read) for row, read in study.rows]
    seen, unseen = ([StylePicture(name, read) for name, read in study.styles[part]] for part in PARTS)
    painter = adain(tools.engine(), spec)
    report = try_out(given, seen, unseen, spec, tools.describer(), painter, lambda step: on_step(_told(step)), folder=tools.features)
    return Found.of_hypothesis(report)


def _told(step: HypothesisStep) -> StudyStep:
    where = ""
    if step.augmentation is not None and step.contrast is not None:
        where = f"{AUGMENTATIONS[step.augmentation]}, {CONTRASTS[step.contrast]}, seed {step.seed}"
    return StudyStep(
        step.stage,
        step.fraction,
        step.elapsed,
        step.remaining,
        step.described,
        step.pictures,
        step.runs,
        planned=step.planned,
        # One seed's cells are a grid.
        reportable=step.runs >= len(AUGMENTATIONS) * len(CONTRASTS),
        where=where,
    )


STUDIES: dict[str, Callable[[Study, Tools, OnStudyStep], Found]] = {EVALUATION: evaluation, HYPOTHESIS: hypothesis}
