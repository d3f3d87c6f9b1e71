from __future__ import annotations

import numpy as np
import pytest

from workers.verdict.detector import read
from workers.verdict.neighbours import SHOWN, Neighbourhood, kinds_of, neighbourhood


def test_with_every_direction_kept_distances_are_those_of_standardised_features() -> None:
    rng = np.random.default_rng(0)
    features, others = rng.standard_normal((30, 12)) * np.arange(1, 13), rng.standard_normal((25, 12)) * np.arange(1, 13)
    near = neighbourhood(features, tuple(map(str, range(30))), np.zeros(30, bool), others, directions=12)
    standard, own = features / features.std(0), others[0] / features.std(0)
    expected = np.sqrt(((standard - own) ** 2).sum(1) / 12)
    np.testing.assert_allclose(near.distances(others[:1])[0], expected, rtol=5e-3)
    shown, novelty = near.look(others[0])
    assert [neighbour.name for neighbour in shown] == [str(n) for n in np.argsort(expected)[:SHOWN]]
    np.testing.assert_allclose(novelty.distance, np.sort(expected)[:SHOWN].mean(), rtol=5e-3)


def test_a_picture_from_elsewhere_is_unlike_the_training_pictures() -> None:
    rng = np.random.default_rng(1)
    features = rng.standard_normal((200, 40)) @ rng.standard_normal((40, 40))
    near = neighbourhood(features[:150], tuple(map(str, range(150))), np.arange(150) > 70, features[150:], directions=10)
    unlike = [near.look(row)[1].unlike for row in features[150:]]
    assert sum(unlike) <= 1
    assert near.look(features[:150].mean(0) + 8 * features.std(0))[1].unlike
    shown, novelty = near.look(features[3])
    assert shown[0].name == "3" and shown[0].distance < 0.01 and shown[0].label == "original" and not novelty.unlike


def known(names: list[str], stylised: list[bool]) -> Neighbourhood:
    count = len(names)
    signatures = np.arange(count, dtype=np.float16)[:, None]
    return Neighbourhood(np.zeros(1, np.float32), np.ones((1, 1), np.float32), signatures, tuple(names), np.array(stylised), 1.0)


def test_a_neighbour_is_named_by_what_it_is() -> None:
    near = known(["dog", "cat", "self-portrait", "waves", "0-adain", "1-optimiser"], [False] * 4 + [True] * 2)
    kinds = kinds_of(near, {"pictures": {"train": {"adain": 1, "optimiser": 1, "painting": 1, "photograph": 2, "style": 1}}})
    assert kinds == ("photograph", "photograph", "painting", "style", "adain", "optimiser")
    shown, _ = near.look(np.array([5.1]), kinds)
    assert [(one.name, one.kind) for one in shown[:3]] == [("1-optimiser", "optimiser"), ("0-adain", "adain"), ("waves", "style")]


@pytest.mark.parametrize("facts", [{}, {"pictures": 6}, {"pictures": {"train": {"photograph": 3, "adain": 2}}}])
def test_what_a_neighbour_is_is_not_guessed(facts: dict) -> None:
    near = known(["a", "b", "c", "d", "a × s", "b × s"], [False] * 4 + [True] * 2)
    assert kinds_of(near, facts) == ()
    assert {one.kind for one in near.look(np.array([1.0]), ())[0]} == {None}


def test_every_training_picture_of_the_shipped_detector_is_known() -> None:
    detector = read()
    assert detector.neighbourhood is not None
    kinds = kinds_of(detector.neighbourhood, detector.facts)
    assert {kind: kinds.count(kind) for kind in set(kinds)} == detector.facts["pictures"]["train"]
