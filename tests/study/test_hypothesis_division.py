from __future__ import annotations

import numpy as np
import pytest

from app.core.errors import InputError
from app.core.hypothesis import HypothesisSpec
from workers.study.division import divide
from workers.study.labelled import Labelled, StylePicture, choose, clusters, divide_styles, sound


def pictures(counts: dict[tuple[str, str], int]) -> list[Labelled]:
    return [
        Labelled(f"{domain}-{klass}-{number}", klass, domain, lambda: np.zeros((1, 1, 3), np.uint8))
        for (domain, klass), count in counts.items()
        for number in range(count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_parts_share_no_picture_and_no_copy(seed: int) -> None:
    klass = np.repeat([0, 1, 2], 20)
    # Every third picture is a copy of the one before it.
    cluster = np.arange(60) - (np.arange(60) % 20 % 3 == 2)
    found = divide(klass, cluster, 0.3, seed)
    parts = [found.fit, found.validate, found.test]
    for number, one in enumerate(parts):
        assert set(klass[one]) == {0, 1, 2}
        for other in parts[number + 1 :]:
            assert not set(cluster[one]) & set(cluster[other])
    # An odd one may be left over, so that pairs by label come out even.
    assert len(found.fit) % 2 == 0
    assert sum(map(len, parts)) in (59, 60)


def test_seeds_divide_differently_and_repeat() -> None:
    klass, cluster = np.repeat([0, 1], 20), np.arange(40)
    tests = [divide(klass, cluster, 0.3, seed).test.tolist() for seed in (0, 1, 0)]
    assert tests[0] == tests[2] != tests[1]


def test_too_few_pictures_that_are_no_copies() -> None:
    with pytest.raises(InputError, match=r"at least four pictures that are no copies of each other. Received: 3"):
        divide(np.repeat([0, 1], 10), np.r_[np.arange(10), np.arange(10, 20) % 3 + 10], 0.3, 0)


def test_nearly_equal_pictures_share_a_cluster_also_over_a_third() -> None:
    prints = np.array([0, 0b1111, 0b11111111, 2**64 - 1], np.uint64)
    assert clusters(prints).tolist() == [0, 0, 0, 3]


def test_copies_that_would_leak_are_left_out() -> None:
    cluster = np.array([0, 0, 2, 2, 4, 5, 5])
    klass = np.array([0, 1, 0, 0, 1, 1, 1])
    home = np.array([True, True, True, False, True, False, False])
    # One picture under two classes; a training picture's copy in another domain.
    assert sound(cluster, klass, home).tolist() == [False, False, True, False, True, True, True]


def test_the_domain_called_photo_is_trained_on() -> None:
    given = pictures({("art", "cat"): 8, ("art", "dog"): 8, ("Photo", "cat"): 8, ("Photo", "dog"): 8})
    assert choose(given, HypothesisSpec()).train_domain == "Photo"
    chosen = choose(given, HypothesisSpec(train_domain="art"))
    assert (chosen.train_domain, chosen.domains) == ("art", ["Photo"])
    assert [one.domain for one in chosen.pictures] == ["art"] * 16 + ["Photo"] * 16


def test_what_is_left_out_is_said() -> None:
    given = pictures(
        {("photo", "cat"): 8, ("photo", "dog"): 20, ("photo", "emu"): 2, ("sketch", "cat"): 3, ("sketch", "fox"): 1, ("toy", "fox"): 9}
    )
    chosen = choose(given, HypothesisSpec(per_class=10))
    assert chosen.classes == ["cat", "dog"] and chosen.domains == ["sketch"]
    assert chosen.notes == [
        "Left out for having fewer than 6 pictures in photo: emu.",
        "Of photo 10 pictures a class are used, though there are more of: dog (20).",
        "Classes of sketch that are not trained on, and so not tested: fox.",
        "sketch has no pictures of: dog. Its figures are about the other classes alone.",
        "Classes of toy that are not trained on, and so not tested: fox.",
        "toy has no pictures of: cat, dog. Its figures are about the other classes alone.",
        "toy shares no class with photo, so nothing is tested on it.",
    ]


def test_one_domain_is_a_stated_consequence() -> None:
    chosen = choose(pictures({("", "cat"): 6, ("", "dog"): 6}), HypothesisSpec())
    assert chosen.notes == ["There is no other domain to test on, so nothing is said of a shift from one domain to another."]


@pytest.mark.parametrize(
    ("counts", "spec", "message"),
    [
        ({}, HypothesisSpec(), "There are no labelled pictures"),
        ({("photo", "cat"): 50}, HypothesisSpec(), r"at least two classes with 6 pictures each in photo. Received: cat \(50\)"),
        ({("photo", "cat"): 50, ("photo", "dog"): 5}, HypothesisSpec(), r"Received: cat \(50\), dog \(5\)"),
        ({("photo", "cat"): 9, ("photo", "dog"): 9}, HypothesisSpec(train_domain="art"), "choose one of: photo. Received: art"),
    ],
)
def test_what_no_study_can_be_made_of(counts: dict[tuple[str, str], int], spec: HypothesisSpec, message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose(pictures(counts), spec)


def test_styles_seen_and_unseen_share_nothing() -> None:
    given = [StylePicture(str(number), lambda: np.zeros((1, 1, 3), np.uint8)) for number in range(7)]
    seen, unseen = divide_styles(given, 0)
    assert (len(seen), len(unseen)) == (4, 3)
    assert {one.name for one in seen} | {one.name for one in unseen} == set("0123456")
    with pytest.raises(InputError, match=r"at least two styles: .* Received: 1"):
        divide_styles(given[:1], 0)
