"""Which pictures are drawn together: pair builders over a table of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError
from app.core.experiments import PairsName
from workers.contrast.table import Table

Indices = NDArray[np.int32]


class Batch(NamedTuple):
    """The pictures of one step, and how they stand to each other.

    Attributes:
        rows: int32 (2N,) into the features as (n·K, d); picture i and picture N + i are a
            pair, but for ``labels``, where they merely stand side by side.
        groups: int32 (2N,); pictures of one group are never negatives of each other.
        left, right: int32 (P,) into ``rows``: the pairs of the pairwise loss.
        positive: bool (P,), whether such a pair is positive.
    """

    rows: Indices
    groups: Indices
    left: Indices
    right: Indices
    positive: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of a table, drawn anew each epoch.

    Attributes:
        anchors: int32 (n,), each taken once an epoch: rows of the table.
        partners: for each anchor the rows that may stand beside it; empty for ``labels``,
            where those are all others of its group.
        groups: int32, the group of each row of the table.
        views: K, the number of views of each picture.
        same_twice: negatives are a picture and itself, as in the paper.
        two_views: the partner is another view of the anchor.
    """

    anchors: Indices
    partners: dict[int, Indices]
    groups: Indices
    views: int
    same_twice: bool = False
    two_views: bool = False

    def epoch(self, rng: np.random.Generator, size: int) -> Iterator[Batch]:
        """Yield batches of about equal size, at most ``size`` pairs each, until each anchor was taken once."""
        order = rng.permutation(self.anchors)
        pictures = self._beside(order, rng) if self.partners else np.stack([order[: self.count], order[self.count : 2 * self.count]])
        # Either side may be the original: an objective whose sides differ sees both.
        swapped = rng.random(self.count) < 0.5
        pictures = np.where(swapped, pictures[::-1], pictures)
        rows = self._viewed(pictures, rng)
        for part in np.array_split(np.arange(self.count), self.batches(size)):
            groups = self.groups[pictures[:, part].ravel()]
            yield Batch(rows[:, part].ravel(), groups, *self._marked(groups, rng))

    def positives(self, rng: np.random.Generator, most: int) -> Indices:
        """Return (2, N) int32 rows of the features: at most ``most`` positive pairs, drawn at random."""
        anchors = self.anchors
        if not self.partners:
            anchors = anchors[np.bincount(self.groups)[self.groups[anchors]] > 1]
        return self._viewed(self._beside(rng.permutation(anchors)[:most], rng), rng)

    @property
    def count(self) -> int:
        """How many pairs an epoch has."""
        return len(self.anchors) if self.partners else len(self.anchors) // 2

    def batches(self, size: int) -> int:
        """Return how many batches an epoch of at most ``size`` pairs each has."""
        return -(-self.count // size)

    def _beside(self, anchors: Indices, rng: np.random.Generator) -> Indices:
        """Return (2, N): the anchors, and for each a picture that may stand beside it."""
        if self.partners:
            return np.array([anchors, [rng.choice(self.partners[int(anchor)]) for anchor in anchors]], np.int32)
        others = [np.flatnonzero(self.groups == self.groups[anchor]) for anchor in anchors]
        return np.array([anchors, [rng.choice(row[row != anchor]) for anchor, row in zip(anchors, others, strict=True)]], np.int32)

    def _viewed(self, pictures: Indices, rng: np.random.Generator) -> Indices:
        """Return rows of the features for (2, N) rows of the table: a view of each picture, chosen at random."""
        views = rng.integers(self.views, size=pictures.shape)
        if self.two_views:
            views[1] = (views[0] + rng.integers(1, self.views, size=len(views[1]))) % self.views
        return (pictures * self.views + views).astype(np.int32)

    def _marked(self, groups: Indices, rng: np.random.Generator) -> tuple[Indices, Indices, NDArray[np.bool_]]:
        """Return left, right and positive: each pair, then a negative for each picture where the batch has one."""
        count = len(groups) // 2
        here = np.arange(count, dtype=np.int32)
        positive = groups[:count] == groups[count:]
        if self.same_twice:
            return np.tile(here, 2), np.concatenate([here + np.int32(count), here]), np.repeat([True, False], count)
        if not self.partners:
            return here, here + np.int32(count), positive
        # Shifted by at least the largest group, pairs sorted by group stand beside other groups.
        order = np.argsort(groups[:count], kind="stable").astype(np.int32)
        largest = np.bincount(groups[:count]).max()
        other = np.roll(order, rng.integers(largest, max(largest, count - largest) + 1))
        order, other = (side[groups[order] != groups[other]] for side in (order, other))
        left, right = np.concatenate([here, order]), np.concatenate([here, other]) + np.int32(count)
        return left, right, np.concatenate([positive, np.zeros(len(order), bool)])


def content_stylised(table: Table, views: int) -> Pairs:
    """Return pairs of an original and a stylised version of it.

    Each stylised picture is taken once an epoch, with an original of its content. Negatives
    are pictures of other contents alone.

    Raises:
        InputError: no such pair, or fewer than two contents.
    """
    originals: dict[int, list[int]] = {}
    codes = table.codes(table.content)
    for row in np.flatnonzero(table.label == 0):
        originals.setdefault(int(codes[row]), []).append(row)
    anchors = [row for row in np.flatnonzero(table.label == 1) if int(codes[row]) in originals]
    if not anchors:
        raise InputError(
            "These pairs need stylised pictures together with the originals they came from, and no stylised picture has its original here."
            f" Received: {table.counts()}."
        )
    if (contents := len(set(codes[anchors].tolist()))) < 2:
        raise InputError(f"These pairs need at least two contents, since negatives are other contents. Received: {contents}.")
    partners = {int(row): np.array(originals[int(codes[row])], np.int32) for row in anchors}
    return Pairs(np.array(anchors, np.int32), partners, codes, views)


def paper_pairs(table: Table, views: int) -> Pairs:
    """Return the paper's own pairs, for the record.

    Positive: an original and its stylised version. Negative: the same picture twice, whose
    distance is 0, so that its loss is the constant ½·m² and its gradient is 0: nothing
    keeps the embeddings from shrinking to a point.

    Raises:
        InputError: as ``content_stylised``.
    """
    sound = content_stylised(table, views)
    return Pairs(sound.anchors, sound.partners, sound.groups, views, same_twice=True)


def augmented(table: Table, views: int) -> Pairs:
    """Return pairs of two different views of one picture, as in SimCLR; each other picture is a negative.

    Raises:
        InputError: fewer than two views or pictures.
    """
    if views < 2:
        raise InputError(f"Augmented pairs need features of at least two views of each picture. Received: {views}.")
    if len(table) < 2:
        raise InputError(f"Augmented pairs need at least two pictures. Received: {len(table)}.")
    rows = np.arange(len(table), dtype=np.int32)
    return Pairs(rows, {int(row): rows[row : row + 1] for row in rows}, rows, views, two_views=True)


def labels(table: Table, views: int) -> Pairs:
    """Return pictures side by side whose groups are their classes: ``klass`` where the table has it, else ``label``.

    Raises:
        InputError: one class only, or no class with two pictures.
    """
    codes = table.codes(table.label if table.klass is None else table.klass)
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        raise InputError(f"Pairs by label need at least two classes. Received: {table.counts()}.")
    if sizes.max() < 2:
        raise InputError(f"Pairs by label need a class with at least two pictures. Received: {len(sizes)} classes of one picture.")
    return Pairs(np.arange(len(table), dtype=np.int32), {}, codes, views)


PAIRS: dict[PairsName, Callable[[Table, int], Pairs]] = {
    "content_stylised": content_stylised,
    "augmented": augmented,
    "paper_pairs": paper_pairs,
    "labels": labels,
}
