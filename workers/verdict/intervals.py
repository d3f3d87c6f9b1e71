"""95 % intervals for figures of pictures that share contents and styles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.core.report import Interval

_TAIL = 0.025
_BLOCK = 2_000_000


class Resampler:
    """Bootstrap weights of a table's pictures: that of the content times that of the style.

    Owen and Eckles, "Bootstrapping data arrays of arbitrary order", 2012: reweighting by products
    of independent weights accounts for both ways in which pictures hang together.
    """

    def __init__(self, content: NDArray[np.str_], style: NDArray[np.str_], resamples: int) -> None:
        """Take the (n,) names of all pictures; the style "" is none, and weighs 1."""
        self.content, self.style, self.resamples = content, style, resamples
        self._contents, self._content_of = _weights("content", content, resamples)
        self._styles, self._style_of = _weights("style", style, resamples)

    def weights(self, rows: NDArray[np.intp]) -> Iterator[NDArray[np.float32]]:
        """Yield the (b, len(rows)) weights of some pictures, a bounded block of resamples at a time."""
        step = max(_BLOCK // max(len(rows), 1), 1)
        for start in range(0, self.resamples, step):
            block = slice(start, start + step)
            yield self._contents[block][:, self._content_of[rows]] * self._styles[block][:, self._style_of[rows]]

    def clusters(self, rows: NDArray[np.intp]) -> int:
        """Return how many of these pictures count as independent at most: the fewer of contents and styles."""
        styles = np.unique(self.style[rows])
        contents = len(np.unique(self.content[rows]))
        named = int((styles != "").sum())
        return min(contents, named) if named else contents


def _weights(kind: str, clusters: NDArray[np.str_], resamples: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return (resamples, clusters) weights, and (n,) the cluster of each picture.

    Exponential with mean 1 and variance 1: the Bayesian bootstrap. A cluster's weights depend on
    its name alone, so that two experiments on the same pictures are resampled alike and their
    difference can be taken sample by sample.
    """
    names, place = np.unique(clusters, return_inverse=True)
    weights = np.ones((resamples, len(names)), np.float32)
    for column, name in enumerate(names):
        if name:
            seed = int.from_bytes(hashlib.sha256(f"{kind} {name}".encode()).digest()[:16], "big")
            weights[:, column] = np.random.default_rng(seed).standard_exponential(resamples, np.float32)
    return weights, place


def percentile(values: NDArray[np.floating]) -> Interval | None:
    """Return the middle 95 % of bootstrap values, leaving out those that are not defined; None with fewer than half."""
    defined = values[np.isfinite(values)]
    if len(defined) * 2 < len(values) or not len(defined):
        return None
    low, high = np.quantile(defined, (_TAIL, 1 - _TAIL))
    return Interval(low=round(float(low), 6), high=round(float(high), 6))


def all_right(clusters: int) -> Interval:
    """Return the Clopper–Pearson interval of n successes in n trials: from (α/2)^(1/n) to 1.

    Where everything is right, resampling has nothing to vary; what is left is that so few
    independent clusters were tried.
    """
    return Interval(low=round(_TAIL ** (1 / max(clusters, 1)), 6), high=1.0, method="clopper_pearson")


def none_right(clusters: int) -> Interval:
    """Return the Clopper–Pearson interval of no success in n trials: the mirror image of ``all_right``."""
    return Interval(low=0.0, high=round(1 - all_right(clusters).low, 6), method="clopper_pearson")
