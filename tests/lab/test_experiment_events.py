"""What is told of an experiment while it runs."""

from __future__ import annotations

from app.core.experiments import EvaluationStep, TrainStep
from app.core.studies import StudyStep
from app.lab.experiment_events import MAX_CURVE_POINTS, StudyRecorder


def step(epoch: int, seed: int = 0, epochs: int = 1000) -> StudyStep:
    train = TrainStep(
        epoch=epoch,
        epochs=epochs,
        loss=1 / epoch,
        alignment=0.5,
        uniformity=-2.0,
        effective_rank=10.0,
        retrieval=0.5,
        held_out_loss=None,
        held_out_alignment=None,
        collapsed=False,
        elapsed=1.0,
    )
    return StudyStep("train", 0.5, 10.0, 4.2, 9, 9, seed, EvaluationStep("train", "content", seed, "", 0.3, train))


def test_describing_has_no_curve() -> None:
    live = StudyRecorder().record(StudyStep("describe", 0.123, 2.0, None, 3, 9))
    assert (live.stage, live.percent, live.described, live.pictures, live.training, live.split) == ("describe", 12.3, 3, 9, None, None)


def test_a_curve_stays_short_and_ends_with_the_newest_epoch() -> None:
    recorder = StudyRecorder()
    for epoch in range(1, 1000):
        live = recorder.record(step(epoch))
        assert live.training is not None
        assert len(live.training.curve) <= MAX_CURVE_POINTS + 1
        assert live.training.curve[-1].epoch == epoch
        assert live.training.curve[0].epoch == 1
    epochs = [point.epoch for point in live.training.curve]
    assert epochs == sorted(set(epochs))
    assert len(epochs) > MAX_CURVE_POINTS / 2 - 1
    assert live.training.curve[0].loss == 1.0


def test_the_next_run_begins_a_new_curve_and_classifying_keeps_the_last() -> None:
    recorder = StudyRecorder()
    recorder.record(step(1))
    recorder.record(step(2))
    kept = recorder.record(StudyStep("classify", 0.6, 11.0, 4.0, 9, 9, 0, EvaluationStep("classify", "content", 0, "", 0.4)))
    assert kept.training is not None
    assert [point.epoch for point in kept.training.curve] == [1, 2]
    live = recorder.record(step(1, seed=1))
    assert live.training is not None
    assert (live.training.seed, [point.epoch for point in live.training.curve]) == (1, [1])
