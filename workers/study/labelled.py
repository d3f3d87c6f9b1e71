"""Labelled pictures of one or more domains: which of them a study of the hypothesis can use, and what follows from the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError
from app.core.hypothesis import HypothesisSpec
from app.imaging.fingerprint import near_pairs

Pixels = NDArray[np.uint8]
# Of a class in the domain trained on: some to fit to, some to choose by, some to test with.
LEAST = 6
_USUAL = "photo"
_LISTED = 5


@dataclass(frozen=True)
class Labelled:
    """One picture. ``read`` returns uint8 RGB (height, width, 3); ``domain`` may be empty where there is one only."""

    name: str
    klass: str
    domain: str
    read: Callable[[], Pixels]


@dataclass(frozen=True)
class StylePicture:
    """A style by name. ``read`` returns uint8 RGB (height, width, 3)."""

    name: str
    read: Callable[[], Pixels]


@dataclass(frozen=True)
class Chosen:
    """The pictures of a study.

    Attributes:
        pictures: those of the training domain first, then domain by domain.
        train_domain: what the first ones share.
        domains: the other domains with pictures to test on.
        classes: sorted.
        notes: what was left out, in words.
    """

    pictures: list[Labelled]
    train_domain: str
    domains: list[str]
    classes: list[str]
    notes: list[str] = field(default_factory=list)


def choose(pictures: Sequence[Labelled], spec: HypothesisSpec) -> Chosen:
    """Return the pictures to use: classes of the training domain, at most ``spec.per_class`` of each in each domain.

    Raises:
        InputError: no such domain, or fewer than two classes with enough pictures in it.
    """
    domain = _train_domain(pictures, spec.train_domain)
    counts = Counter(one.klass for one in pictures if one.domain == domain)
    classes = sorted(name for name, count in counts.items() if count >= LEAST)
    if len(classes) < 2:
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items())) or "none"
        raise InputError(
            f"A classifier needs at least two classes with {LEAST} pictures each in {_named(domain)}. Received: {listed}.", field="archive"
        )
    notes = []
    if small := sorted(set(counts) - set(classes)):
        notes.append(f"Left out for having fewer than {LEAST} pictures in {_named(domain)}: {_some(small)}.")
    others = sorted({one.domain for one in pictures} - {domain})
    used = _capped([one for one in pictures if one.domain == domain and one.klass in classes], spec, notes)
    kept = []
    for other in others:
        theirs = [one for one in pictures if one.domain == other]
        if strange := sorted({one.klass for one in theirs} - set(classes)):
            notes.append(f"Classes of {_named(other)} that are not trained on, and so not tested: {_some(strange)}.")
        if missing := sorted(set(classes) - {one.klass for one in theirs}):
            notes.append(f"{_named(other)} has no pictures of: {_some(missing)}. Its figures are about the other classes alone.")
        if shared := _capped([one for one in theirs if one.klass in classes], spec, notes):
            kept.append(other)
            used.extend(shared)
        else:
            notes.append(f"{_named(other)} shares no class with {_named(domain)}, so nothing is tested on it.")
    if not kept:
        notes.append("There is no other domain to test on, so nothing is said of a shift from one domain to another.")
    return Chosen(used, domain, kept, classes, notes)


def clusters(fingerprints: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return (n,) the cluster of each picture: nearly equal pictures, at most ``NEAR`` bits apart, share one."""
    parent = np.arange(len(fingerprints))

    def root(one: int) -> int:
        while parent[one] != one:
            one = parent[one]
        return one

    for one, other, _ in near_pairs(fingerprints):
        first, second = root(one), root(other)
        parent[max(first, second)] = min(first, second)
    return np.array([root(one) for one in range(len(parent))], np.intp)


def sound(cluster: NDArray[np.intp], klass: NDArray[np.intp], home: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (n,) which pictures may stay: no copy under two classes, and no copy of a training picture in another domain."""
    stays = np.ones(len(cluster), bool)
    for one in np.flatnonzero(np.bincount(cluster) > 1):
        rows = np.flatnonzero(cluster == one)
        if len(np.unique(klass[rows])) > 1:
            stays[rows] = False
        elif home[rows].any():
            stays[rows[~home[rows]]] = False
    return stays


def divide_styles(styles: Sequence[StylePicture], seed: int) -> tuple[list[StylePicture], list[StylePicture]]:
    """Return two halves of the styles, drawn at random: seen in training, and kept for the test.

    Raises:
        InputError: fewer than two.
    """
    if len(styles) < 2:
        raise InputError(f"Give at least two styles: one to train with and another to test with. Received: {len(styles)}.", field="styles")
    order = np.random.default_rng([seed, 2]).permutation(len(styles))
    middle = -(-len(styles) // 2)
    seen, unseen = np.sort(order[:middle]), np.sort(order[middle:])
    return [styles[place] for place in seen], [styles[place] for place in unseen]


def _train_domain(pictures: Sequence[Labelled], wanted: str) -> str:
    found = sorted({one.domain for one in pictures})
    if not found:
        raise InputError("There are no labelled pictures. Put them into folders class/ or domain/class/. Received: none.", field="archive")
    if wanted and wanted not in found:
        raise InputError(f"There is no domain of that name; choose one of: {', '.join(found)}. Received: {wanted}.", field="train_domain")
    return wanted or next((name for name in found if name.lower() == _USUAL), found[0])


def _capped(pictures: list[Labelled], spec: HypothesisSpec, notes: list[str]) -> list[Labelled]:
    """Return at most ``per_class`` pictures of each class, drawn at random, in order."""
    kept: list[Labelled] = []
    capped = []
    for klass in sorted({one.klass for one in pictures}):
        ours = [one for one in pictures if one.klass == klass]
        if len(ours) > spec.per_class:
            capped.append(f"{klass} ({len(ours)})")
            drawn = np.random.default_rng([spec.seed, 3]).permutation(len(ours))[: spec.per_class]
            ours = [ours[place] for place in np.sort(drawn)]
        kept.extend(ours)
    if capped:
        notes.append(f"Of {_named(kept[0].domain)} {spec.per_class} pictures a class are used, though there are more of: {_some(capped)}.")
    return kept


def _named(domain: str) -> str:
    return domain or "the archive"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
