"""Pictures of a labelled study to features: as they are, jittered, and in styles seen and unseen."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError, PictureError
from app.core.features import FEATURES
from app.core.hypothesis import HypothesisSpec
from app.imaging.fingerprint import NEAR, distances, fingerprint
from workers.study.cells import Away, Described
from workers.study.derived import Derived, Recipe, digest
from workers.study.describer import Describer
from workers.study.labelled import Chosen, Labelled, StylePicture, clusters, sound
from workers.study.painter import Painter
from workers.study.specimens import EVERYTHING, columns_of, reduced
from workers.study.views import jittered
from workers.style import pyramid

Pixels = NDArray[np.uint8]
_AT_ONCE = 16
# Painting costs about as much as describing three pictures.
_PAINTING = 3.0
OnDescribed = Callable[[int, float], None]


@dataclass(frozen=True)
class _Style:
    name: str
    pixels: Pixels
    digest: str
    fingerprint: int


@dataclass
class _Rows:
    """What is known of the pictures so far, in order."""

    clean: list[NDArray[np.float32]]
    jitter: list[NDArray[np.float32]]
    styled: list[NDArray[np.float32]]
    unseen: list[NDArray[np.float32]]
    style: list[str]
    fingerprints: list[int]
    pictures: list[Labelled]


@dataclass(frozen=True)
class Styles:
    """The styles that are used, by part, and what was left out."""

    seen: list[_Style]
    unseen: list[_Style]
    notes: list[str]


def styles(seen: Sequence[StylePicture], unseen: Sequence[StylePicture], size: int) -> Styles:
    """Read the styles, small; an unseen one that is nearly the same as a seen one is left out.

    Raises:
        InputError: none is left on one side.
    """
    ours, theirs, notes = [_style(one, size) for one in seen], [], []
    for one in (_style(given, size) for given in unseen):
        if ours and int(distances(np.array([one.fingerprint], np.uint64), _prints(ours)).min()) <= NEAR:
            notes.append(f"The style {one.name} is nearly the same as one trained with, and is not tested with.")
        else:
            theirs.append(one)
    if not ours or not theirs:
        raise InputError(
            f"At least one style to train with and another to test with are needed. Received: {len(ours)} and {len(theirs)}.",
            field="styles",
        )
    if len(theirs) < 5:
        notes.append(f"Only {len(theirs)} unseen styles were tested with: little can be said of styles in general.")
    return Styles(ours, theirs, notes)


def planned(chosen: Chosen, spec: HypothesisSpec) -> tuple[int, float]:
    """Return how many pictures will be described, and their cost in descriptions."""
    home = sum(one.domain == chosen.train_domain for one in chosen.pictures)
    away = len(chosen.pictures) - home
    return home * (2 + 2 * spec.copies) + away, home * (2 + 2 * spec.copies + _PAINTING * (1 + spec.copies)) + away


def describe(
    chosen: Chosen,
    given: Styles,
    spec: HypothesisSpec,
    describer: Describer,
    painter: Painter,
    folder: Path | None,
    on_described: OnDescribed,
) -> tuple[Described, list[str]]:
    """Read each picture once, a few at a time, and describe it and everything made of it.

    Args:
        folder: where features of made pictures are remembered; None forgets them.
        on_described: told how many pictures are described, and their cost; may raise, which ends the work.

    Returns:
        The features, and notes on what was left out.
    """
    rows, notes = _Rows([], [], [], [], [], [], []), []
    made = Derived(describer, folder)
    feature_set = FEATURES[spec.features]
    waiting = _readable(chosen, notes)
    done, cost = 0, 0.0
    while some := list(islice(waiting, _AT_ONCE)):
        pixels = [picture for _, picture in some]
        clean = list(describer.stream(iter(pixels), EVERYTHING))
        rows.clean += [columns_of(row[None], feature_set)[0] for row in clean]
        rows.fingerprints += [fingerprint(picture) for picture in pixels]
        rows.pictures += [one for one, _ in some]
        done, cost = done + len(some), cost + len(some)
        on_described(done, cost)
        home = [picture for one, picture in some if one.domain == chosen.train_domain]
        made_of = [_recipes(picture, given, spec, painter) for picture in home]
        each = 2 * spec.copies + 1
        for number, row in enumerate(made.stream([recipe for recipes, _ in made_of for recipe in recipes], EVERYTHING)):
            place = number % each
            kept = rows.unseen if place == each - 1 else rows.styled if place >= spec.copies else rows.jitter
            kept.append(columns_of(row[None], feature_set)[0])
            done, cost = done + 1, cost + 1 + _PAINTING * (place >= spec.copies)
            on_described(done, cost)
        rows.style += [unseen for _, unseen in made_of]
    return _sorted(rows, chosen, given, spec, notes), notes


def _readable(chosen: Chosen, notes: list[str]) -> Iterator[tuple[Labelled, Pixels]]:
    for one in chosen.pictures:
        try:
            pixels = one.read()
            pyramid.check(pixels, "content")
        except PictureError as error:
            notes.append(f"Left out: {one.name}. {error.message}")
            continue
        yield one, pixels


def _recipes(pixels: Pixels, given: Styles, spec: HypothesisSpec, painter: Painter) -> tuple[list[Recipe], str]:
    """Return what is made of one picture: jittered copies, stylised copies, and last its version in an unseen style, named."""
    own = digest(pixels)
    rng = np.random.default_rng([spec.seed, zlib.crc32(own.encode())])

    def jitter(number: int) -> Recipe:
        return Recipe(("jitter", str(number), own), lambda: jittered(pixels, np.random.default_rng([number, zlib.crc32(own.encode())])))

    def styled(style: _Style) -> Recipe:
        return Recipe(("style", painter.name, own, style.digest), lambda: painter.paint(pixels, style.pixels))

    seen = rng.choice(len(given.seen), spec.copies, replace=spec.copies > len(given.seen))
    unseen = given.unseen[rng.integers(len(given.unseen))]
    copies = [styled(given.seen[place]) for place in seen]
    return [*(jitter(number) for number in range(spec.copies)), *copies, styled(unseen)], unseen.name


def _sorted(rows: _Rows, chosen: Chosen, given: Styles, spec: HypothesisSpec, notes: list[str]) -> Described:
    """Return the features without copies of one picture that would be in two parts."""
    home = np.array([one.domain == chosen.train_domain for one in rows.pictures], bool)
    if not home.any():
        raise InputError(
            f"No picture of {chosen.train_domain or 'the archive'} can be used. Received: {len(chosen.pictures)}.", field="archive"
        )
    klass = np.array([chosen.classes.index(one.klass) for one in rows.pictures], np.intp)
    prints = np.array(rows.fingerprints, np.uint64)
    cluster = clusters(prints)
    stays = sound(cluster, klass, home)
    stays &= home | (distances(prints, _prints(given.seen)).min(axis=1) > NEAR)
    if gone := int((~stays).sum()):
        notes.append(f"{gone} pictures were left out as copies: of one in another class, of one trained on, or of a style trained with.")
    at_home = stays[home]
    clean = np.stack(rows.clean)
    domain = np.array([one.domain for one in rows.pictures])
    length = clean.shape[1]
    away = {name: (domain == name) & stays for name in chosen.domains}
    return Described(
        home=clean[home & stays],
        klass=klass[home & stays],
        cluster=cluster[home & stays],
        copies={
            "jitter": np.reshape(rows.jitter, (-1, spec.copies, length))[at_home],
            "style": np.reshape(rows.styled, (-1, spec.copies, length))[at_home],
        },
        unseen=np.stack(rows.unseen)[at_home],
        style=np.array(rows.style)[at_home],
        away={name: Away(clean[ours], klass[ours], cluster[ours]) for name, ours in away.items() if ours.any()},
    )


def _style(given: StylePicture, size: int) -> _Style:
    pixels = reduced(given.read(), size)
    pyramid.check(pixels, "style")
    return _Style(given.name, pixels, digest(pixels), fingerprint(pixels))


def _prints(several: Sequence[_Style]) -> NDArray[np.uint64]:
    return np.array([one.fingerprint for one in several], np.uint64)
