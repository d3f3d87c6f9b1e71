"""How far an experiment is: remembered features make nothing leap, and what was told never falls."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.core.experiments import EvaluationStep
from app.core.studies import StudyStep
from workers.study import experiment


def told(monkeypatch: pytest.MonkeyPatch, seconds: float, fractions: list[float]) -> list[float]:
    """Return the shares told of ten pictures that take some seconds each, and of an evaluation."""
    moment = 100.0
    monkeypatch.setattr(experiment, "time", SimpleNamespace(monotonic=lambda: moment))
    steps: list[StudyStep] = []
    teller = experiment._Teller(steps.append, 10)
    for done in range(1, 11):
        moment += seconds
        teller.described(done, 10)
    for fraction in fractions:
        moment += 1
        teller.evaluated(EvaluationStep("train", "content", 0, "", fraction))
    return [step.fraction for step in steps]


def test_describing_is_its_share_where_it_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = told(monkeypatch, 1.0, [0.0, 0.5, 1.0])
    assert shares == pytest.approx([0.04 * n for n in range(1, 11)] + [0.4, 0.7, 1.0])


def test_remembered_features_do_not_make_the_percent_leap(monkeypatch: pytest.MonkeyPatch) -> None:
    # A tenth of the time that counts as describing: a tenth of its share.
    shares = told(monkeypatch, experiment._SECONDS_A_PICTURE / 10, [0.0, 0.5, 1.0])
    assert shares[9] == pytest.approx(0.04)
    assert shares[10:] == pytest.approx([0.04, 0.52, 1.0])


def test_the_percent_never_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that turns out too small gives back what was counted of it."""
    shares = told(monkeypatch, 1.0, [0.5, 0.3, 0.6])
    assert shares[10:] == pytest.approx([0.7, 0.7, 0.76])
