"""An experiment's classifier as a detector: the same logit, and a band from held-out pictures."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.errors import InputError
from app.core.experiments import ExperimentSpec, TrainParams
from app.core.features import FEATURES
from app.core.progress import StopRequested
from app.core.studies import StudyStep
from tests.study.test_study_specimens import SMALL, Noise, specimens
from workers.study.experiment import conduct
from workers.study.keeping import band_of, can_be_kept, detector_of
from workers.study.specimens import table_of
from workers.verdict.classifier import fit
from workers.verdict.detector import from_bytes


def test_the_detector_s_logit_is_the_classifier_s() -> None:
    pictures = specimens(6, 2)
    done = conduct(pictures, SMALL, Noise(), lambda step: None)
    assert done.detector is not None
    detector = from_bytes(done.detector)
    table = table_of(pictures, FEATURES["pooled"], Noise())
    linear = fit(table.features, table.label, table.content, "logistic", SMALL.seed)
    np.testing.assert_allclose(detector.logits(table.features), linear.logit(table.features), atol=1e-3)
    assert detector.feature_set == FEATURES["pooled"]
    assert detector.facts["headline"] == "content"
    assert detector.facts["generators"] == ["instant"]
    assert detector.neighbourhood is not None
    assert len(detector.neighbourhood.names) < len(table)


def test_progress_is_told_while_the_detector_is_fitted_and_a_stop_comes_too_late() -> None:
    finishing: list[float] = []

    def follow(step: StudyStep) -> None:
        if step.stage == "finish":
            finishing.append(step.fraction)
            raise StopRequested

    done = conduct(specimens(6, 2), SMALL, Noise(), follow)
    assert len(finishing) > 10
    assert set(finishing) == {1.0}
    assert done.detector is not None


def test_pictures_are_judged_in_the_size_that_the_detector_was_made_of() -> None:
    done = conduct(specimens(6, 2), SMALL, Noise(), lambda step: None, largest=30)
    assert done.detector is not None
    assert from_bytes(done.detector).largest == 30
    whole = conduct(specimens(6, 2), SMALL, Noise(), lambda step: None)
    assert whole.detector is not None
    assert from_bytes(whole.detector).largest is None


def test_the_band_leaves_one_in_twenty_of_each_class_beyond_it() -> None:
    report = conduct(specimens(6, 2), SMALL, Noise(), lambda step: None).report
    split = report.split("content")
    label = [report.pictures[place].label for run in split.runs for place in run.test_pictures]
    probability = [one for run in split.runs for one in run.probabilities]
    originals = sorted(p for p, one in zip(probability, label, strict=True) if one == 0)
    stylised = sorted(p for p, one in zip(probability, label, strict=True) if one == 1)
    band = band_of(report, 0.5)
    assert band.low == pytest.approx(min(0.5, float(np.percentile(stylised, 5))))
    assert band.high == pytest.approx(max(0.5, float(np.percentile(originals, 95))))


@pytest.mark.parametrize(
    "spec", [ExperimentSpec(classify="embedding"), ExperimentSpec(classify="both"), SMALL.model_copy(update={"shuffle_labels": True})]
)
def test_other_classifiers_cannot_be_kept(spec: ExperimentSpec) -> None:
    assert not can_be_kept(spec)
    report = conduct(specimens(6, 2), SMALL, Noise(), lambda step: None).report
    with pytest.raises(InputError, match="Only a classifier on features"):
        detector_of(table_of(specimens(6, 2), FEATURES["pooled"], Noise()), spec, report)


def test_training_without_an_objective_is_no_stage_at_all() -> None:
    from workers.study.learner import learner

    assert learner(TrainParams(objective="none")) is None
    assert learner(TrainParams(objective="supcon", pairs="labels")) is not None
