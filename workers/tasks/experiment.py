"""A study of the Lab as a task: one wake-up, at most one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.core.experiments import ExperimentSpec
from app.core.studies import OnStudyStep
from app.lab.experiments import EVALUATION
from workers.runtime.experimenting import Experimenting, Found, Study, samples_of
from workers.runtime.life import Runtime

if TYPE_CHECKING:
    from workers.study.specimens import Describer


def run(runtime: Runtime, load: Callable[[], Describer]) -> bool:
    """Carry the fairest waiting study to its end. False: none was waiting.

    Args:
        load: returns what turns pictures into features, with a memory of those it has seen.
    """
    return runtime.run_one(Experimenting, lambda study, on_step: STUDIES[study.name](study, load, on_step))


def evaluation(study: Study, load: Callable[[], Describer], on_step: OnStudyStep) -> Found:
    """Original against stylised: every split, every seed."""
    # Only now: scikit-learn and TensorFlow are loaded in the child.
    from workers.study.experiment import conduct
    from workers.study.specimens import Specimen

    samples = samples_of(study)
    specimens = [Specimen(one.name, one.label, one.content, one.read, one.style, one.generator) for one in samples]
    done = conduct(specimens, ExperimentSpec.model_validate(study.params), load(), on_step, largest=study.largest)
    return Found.of(done.report, done.detector)


STUDIES: dict[str, Callable[[Study, Callable[[], Describer], OnStudyStep], Found]] = {EVALUATION: evaluation}
