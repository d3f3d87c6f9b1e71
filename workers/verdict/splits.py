"""Ways of dividing the pictures into a training and a test part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError
from app.core.experiments import SplitName
from workers.verdict.table import ORIGINAL, STYLISED, Table

# A draw can leave a part without one of the classes when few contents meet few styles; then it is drawn again.
_DRAWS = 200

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows of the training and the test part, in rising order; ``dropped`` rows are in neither."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    dropped: int
    held_out: str = ""


NOTES: dict[SplitName, str] = {
    "train_is_test": "Tested on the very pictures it was trained on. With more features than pictures any labelling comes out right.",
    "random": "Pictures divided at random, class by class. The twin of a test picture is often in the training part.",
    "content": "No content is in both parts; an original belongs to its content. The styles are the same.",
    "style": "No style is in both parts. Originals have none: they are divided by content, with the same share; "
    "what was painted from a test original in a training style is in the training part.",
    "content_style": "Neither a content nor a style is in both parts: what pairs a content of one part with a style of the other "
    "is dropped. Originals belong to their content.",
    "generator": "Trained on all generators but one, tested on that one, one fold each. Contents are held out as well, and originals "
    "belong to their content; pictures by the other generators of test contents, and by this one of training contents, are dropped.",
}


def split(table: Table, name: SplitName, test_share: float, seed: int) -> tuple[Fold, ...]:
    """Divide a table.

    Args:
        table: the pictures.
        name: how; ``NOTES`` says what it means.
        test_share: share of pictures, contents or styles for the test part, 0 to 1.
        seed: fixes the draw.

    Returns:
        One fold; for ``generator`` one for each, in the generators' order. Each part has both classes.

    Raises:
        InputError: fewer than two contents, styles or generators to divide, or no draw gives both parts both classes.
    """
    rng = np.random.default_rng([seed, list(NOTES).index(name)])
    if name == "train_is_test":
        everything = np.arange(len(table))
        return (Fold(everything, everything, 0),)
    if name == "generator":
        generators = sorted(set(table.generator[table.label == STYLISED]) - {""})
        if len(generators) < 2:
            raise InputError(f"To hold a generator out, at least two are needed. Received {len(generators)}.")
        return tuple(_draw(table, name, lambda one=one: _generator(table, one, test_share, rng), one) for one in generators)
    return (_draw(table, name, lambda: _SIDES[name](table, test_share, rng)),)


def _draw(table: Table, name: SplitName, sides: Callable[[], tuple[Mask, Mask]], held_out: str = "") -> Fold:
    for _ in range(_DRAWS):
        train, test = sides()
        if all(np.isin((ORIGINAL, STYLISED), table.label[side]).all() for side in (train, test)):
            return Fold(np.flatnonzero(train), np.flatnonzero(test), int((~(train | test)).sum()), held_out)
    raise InputError(
        f"These pictures cannot be divided as “{name}”: a part would be left without originals or without stylised pictures. "
        f"More contents or styles are needed. Received {len(table)} pictures."
    )


def _share(count: int, test_share: float) -> int:
    return min(max(round(count * test_share), 1), count - 1)


def _random(table: Table, test_share: float, rng: np.random.Generator) -> tuple[Mask, Mask]:
    test = np.zeros(len(table), bool)
    for label in (ORIGINAL, STYLISED):
        rows = np.flatnonzero(table.label == label)
        test[rng.permutation(rows)[: _share(len(rows), test_share)]] = True
    return ~test, test


def _test_contents(table: Table, test_share: float, rng: np.random.Generator) -> Mask:
    """Return which rows' contents are held out; contents with and without stylised pictures are drawn apart."""
    contents = np.unique(table.content)
    if len(contents) < 2:
        raise InputError(f"To hold contents out, at least two are needed. Received {len(contents)}.")
    kinds = [np.isin(contents, table.content[table.label == label]) for label in (ORIGINAL, STYLISED)]
    chosen: list[str] = []
    for kind in (kinds[0] & kinds[1], kinds[0] & ~kinds[1], ~kinds[0] & kinds[1]):
        group = contents[kind]
        if len(group) > 1:
            chosen.extend(rng.permutation(group)[: _share(len(group), test_share)])
        elif len(group) and rng.random() < test_share:
            chosen.extend(group)
    return np.isin(table.content, chosen)


def _test_styles(table: Table, test_share: float, rng: np.random.Generator) -> Mask:
    styles = np.array(sorted(set(table.style[table.label == STYLISED]) - {""}))
    if len(styles) < 2:
        raise InputError(f"To hold styles out, at least two are needed. Received {len(styles)}.")
    return np.isin(table.style, rng.permutation(styles)[: _share(len(styles), test_share)])


def _content(table: Table, test_share: float, rng: np.random.Generator) -> tuple[Mask, Mask]:
    test = _test_contents(table, test_share, rng)
    return ~test, test


def _style(table: Table, test_share: float, rng: np.random.Generator) -> tuple[Mask, Mask]:
    by_style = _test_styles(table, test_share, rng)
    by_content = _test_contents(table, test_share, rng)
    test = np.where(table.label == STYLISED, by_style, by_content)
    return ~test & _placed(table), test


def _content_style(table: Table, test_share: float, rng: np.random.Generator) -> tuple[Mask, Mask]:
    by_content = _test_contents(table, test_share, rng)
    by_style = _test_styles(table, test_share, rng)
    original = table.label == ORIGINAL
    return ~by_content & (original | (~by_style & _placed(table))), by_content & (original | by_style)


def _placed(table: Table) -> Mask:
    """Return the rows that a split by style can place: stylised pictures of an unknown style it cannot."""
    return (table.label == ORIGINAL) | (table.style != "")


def _generator(table: Table, held_out: str, test_share: float, rng: np.random.Generator) -> tuple[Mask, Mask]:
    by_content = _test_contents(table, test_share, rng)
    original = table.label == ORIGINAL
    theirs = table.generator == held_out
    return ~by_content & (original | (~theirs & (table.generator != ""))), by_content & (original | theirs)


_SIDES: dict[SplitName, Callable[[Table, float, np.random.Generator], tuple[Mask, Mask]]] = {
    "random": _random,
    "content": _content,
    "style": _style,
    "content_style": _content_style,
}
