from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from app.core.errors import InputError
from app.core.features import FeatureSet
from workers.verdict.detector import from_bytes, to_bytes
from workers.verdict.training import Bank, band, calibration, fit, shares, train

SET = FeatureSet(name="small", title="", help="", parts=(("conv_2", "mean"),))


def bank(seed: int, sizes: dict[str, int], gap: float = 2.0) -> Bank:
    """Originals and generators as normal clouds in 64 dimensions; each generator differs along a direction of its own."""
    rng = np.random.default_rng(seed)
    rows, groups = [], []
    for place, (group, size) in enumerate(sizes.items()):
        cloud = rng.standard_normal((size, 64))
        if group in ("adain", "optimiser"):
            cloud[:, place] += gap * 2
        rows.append(cloud)
        groups += [group] * size
    n = len(groups)
    names = np.array([f"{seed}-{number}" for number in range(n)])
    return Bank(np.concatenate(rows).astype(np.float32), np.array(groups), np.array(["clean"] * n), names, names, np.array([""] * n))


SIZES = {"photograph": 300, "painting": 60, "style": 10, "adain": 120, "optimiser": 40}


def test_a_detector_from_end_to_end() -> None:
    detector = train(SET, bank(0, SIZES, 3.0), bank(1, SIZES, 3.0), {"seed": 0})
    test = bank(2, SIZES, 3.0)
    called = detector.logits(test.features) > 0
    for group in ("photograph", "painting"):
        assert called[test.group == group].mean() <= 0.05
    for group in ("adain", "optimiser"):
        assert called[test.group == group].mean() >= 0.9
    assert detector.band.low <= 0.5 <= detector.band.high
    assert detector.neighbourhood is not None and len(detector.neighbourhood.names) == sum(SIZES.values())
    assert from_bytes(to_bytes(detector)).facts["seed"] == 0
    # The bias is the logit of the average training picture.
    assert detector.logits(detector.centre[None])[0] == pytest.approx(detector.bias)


def test_fit_against_scikit_learn_on_standardised_features() -> None:
    given = bank(3, {"photograph": 80, "adain": 50}, 0.5)
    weights, bias = fit(given, 0.003)
    x = given.features.astype(np.float64)
    standard = (x - x.mean(0)) / x.std(0) / np.sqrt(64)
    own = shares(given.group)
    model = Ridge(alpha=0.003 * len(x), tol=1e-10).fit(standard, np.where(given.stylised, 1.0, -1.0), sample_weight=own)
    # The bias is all but free of the penalty, which scikit-learn's is altogether.
    np.testing.assert_allclose(x @ weights + bias, model.predict(standard), atol=2e-3)


def test_every_group_has_its_share_whatever_its_number() -> None:
    group = np.array(["photograph"] * 90 + ["painting"] * 8 + ["style"] * 2 + ["adain"] * 30 + ["optimiser"] * 10)
    weights = shares(group)
    total = {name: weights[group == name].sum() / weights.sum() for name in set(group.tolist())}
    assert total == pytest.approx({"photograph": 0.25, "painting": 0.2, "style": 0.05, "adain": 0.25, "optimiser": 0.25})
    alone = shares(np.array(["photograph"] * 5 + ["adain"] * 3))
    assert alone[:5].sum() == pytest.approx(alone[5:].sum()) and alone.mean() == pytest.approx(1)


def test_calibration_finds_slope_and_shift() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 40000)
    stylised = rng.random(40000) < 1 / (1 + np.exp(-(0.6 * logits - 0.8)))
    a, b = calibration(logits, stylised, np.ones(40000))
    assert (a, b) == (pytest.approx(0.6, abs=0.03), pytest.approx(-0.8, abs=0.05))


def test_calibration_of_what_is_all_right_stays_finite() -> None:
    a, b = calibration(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]), np.ones(4))
    assert np.isfinite([a, b]).all() and 0 < a < 10
    # Platt's targets for two and two: 3/4 and 1/4.
    assert 0.6 < 1 / (1 + np.exp(-(a * 2.5 + b))) < 0.9


def test_band_by_hand() -> None:
    """Of 100 photographs one lies above the band, of 100 pictures of the worse generator one below it."""
    probability = np.concatenate([np.linspace(0.0, 0.99, 100), np.full(50, 0.01), np.linspace(0.01, 1.0, 100), np.full(20, 0.999)])
    group = np.array(["photograph"] * 100 + ["painting"] * 50 + ["adain"] * 100 + ["optimiser"] * 20)
    logits = np.log(np.clip(probability, 1e-9, 1 - 1e-9)) - np.log1p(-np.clip(probability, 1e-9, 1 - 1e-9))
    found = band(logits, group)
    assert (found.low, found.threshold, found.high) == (pytest.approx(0.02, abs=0.001), 0.5, pytest.approx(0.98, abs=0.001))
    assert ((probability[:100] > found.high).sum(), (probability[150:250] < found.low).sum()) == (1, 1)


def test_one_class_alone_is_refused() -> None:
    originals = bank(0, {"photograph": 20, "painting": 20})
    with pytest.raises(InputError, match="training part needs originals and stylised"):
        train(SET, originals, bank(1, SIZES), {})
