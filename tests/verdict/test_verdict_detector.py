from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from app.core.errors import ArtefactError
from app.core.features import FEATURES, FeatureSet
from app.core.verdicts import Band
from app.imaging.neutral import VERSION
from workers.verdict.detector import FORMAT, Detector, from_bytes, probability_of, read, to_bytes
from workers.verdict.neighbours import neighbourhood

SMALL = FeatureSet(name="small", title="", help="", parts=(("conv_2", "mean"), ("conv_2", "mean_square")))


@pytest.fixture
def detector() -> Detector:
    rng = np.random.default_rng(2)
    features = rng.random((40, 128), np.float32)
    near = neighbourhood(features, tuple(f"picture {n}" for n in range(40)), np.arange(40) % 2 == 1, rng.random((20, 128)), directions=8)
    weights, centre = rng.standard_normal(128).astype(np.float32), features.mean(0)
    return Detector(SMALL, weights, centre, -0.25, Band(low=0.3, threshold=0.5, high=0.6), near, {"seed": 7})


def test_what_is_written_is_read(detector: Detector, tmp_path: Path) -> None:
    data = to_bytes(detector)
    (tmp_path / "one.safetensors").write_bytes(data)
    found = read(tmp_path / "one.safetensors")
    assert found.digest == hashlib.sha256(data).hexdigest()
    assert (found.feature_set, found.bias, found.band, found.facts) == (SMALL, -0.25, detector.band, {"seed": 7})
    assert found.neighbourhood is not None and detector.neighbourhood is not None
    assert found.neighbourhood.names == detector.neighbourhood.names
    features = np.random.default_rng(3).random((5, 128))
    np.testing.assert_array_equal(found.logits(features), detector.logits(features))
    assert found.neighbourhood.look(features[0]) == detector.neighbourhood.look(features[0])
    assert to_bytes(found) == data


def test_logits_by_hand(detector: Detector) -> None:
    features = np.random.default_rng(4).random((3, 128))
    expected = [
        sum(float(w) * (x - float(c)) for w, x, c in zip(detector.weights, row, detector.centre, strict=True)) - 0.25 for row in features
    ]
    np.testing.assert_allclose(detector.logits(features), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("logit", "probability", "decision"),
    [
        (0.0, 0.5, "uncertain"),
        (np.log(3), 0.75, "stylised"),
        (-np.log(3), 0.25, "original"),
        (900.0, 1.0, "stylised"),
        (-900.0, 0.0, "original"),
    ],
)
def test_scores(detector: Detector, logit: float, probability: float, decision: str) -> None:
    assert probability_of(logit) == pytest.approx(probability, abs=1e-12)
    assert detector.score(float(logit)).decision == decision


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_a_damaged_file(detector: Detector, cut: int) -> None:
    with pytest.raises(ArtefactError, match="damaged"):
        from_bytes(to_bytes(detector)[:cut])


def test_other_preprocessing_is_refused(detector: Detector) -> None:
    data = to_bytes(detector)
    assert data.count(VERSION.encode()) == 1
    with pytest.raises(ArtefactError, match="another version"):
        from_bytes(data.replace(VERSION.encode(), VERSION.upper().encode()))


def test_a_file_without_what_belongs_in_it() -> None:
    data = save({"weights": np.zeros(3, np.float32)}, {"detector": json.dumps({"format": FORMAT, "preprocessing": VERSION})})
    with pytest.raises(ArtefactError, match="damaged"):
        from_bytes(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.zeros(64, np.float32)}, "weights do not fit"),
        ({"centre": np.full(128, np.nan, np.float32)}, "finite"),
        ({"feature_set": FeatureSet(name="x", title="", help="", parts=(("mixed_99", "mean"),))}, "mixed_99"),
        ({"feature_set": FEATURES["pooled"]}, "do not fit"),
    ],
)
def test_what_does_not_fit_is_refused(detector: Detector, change: dict[str, object], message: str) -> None:
    with pytest.raises(ArtefactError, match=message):
        from_bytes(to_bytes(replace(detector, **change)))  # type: ignore[arg-type]


def test_the_size_of_the_training_pictures_is_kept(detector: Detector) -> None:
    assert from_bytes(to_bytes(detector)).largest is None
    assert from_bytes(to_bytes(replace(detector, largest=512))).largest == 512
    with pytest.raises(ArtefactError, match="cannot be reduced to 0 pixels"):
        from_bytes(to_bytes(replace(detector, largest=0)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signatures": np.zeros(40, np.float16)}, "damaged"),
        ({"signatures": np.full((40, 8), np.inf, np.float16)}, "finite"),
        ({"projection": np.full((128, 8), np.nan, np.float32)}, "finite"),
        ({"projection": np.zeros((64, 8), np.float32)}, "projection do not fit"),
        ({"centre": np.zeros(64, np.float32)}, "centre do not fit"),
        ({"centre": np.full(128, np.inf, np.float32)}, "finite"),
        ({"limit": float("nan")}, "finite"),
        ({"stylised": np.ones((40, 2), bool)}, "names do not fit"),
    ],
)
def test_neighbours_that_do_not_fit_are_refused(detector: Detector, change: dict[str, object], message: str) -> None:
    assert detector.neighbourhood is not None
    near = replace(detector.neighbourhood, **change)  # type: ignore[arg-type]
    with pytest.raises(ArtefactError, match=message):
        from_bytes(to_bytes(replace(detector, neighbourhood=near)))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"none\.safetensors"):
        read(tmp_path / "none.safetensors")
