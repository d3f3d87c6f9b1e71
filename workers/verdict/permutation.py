"""Would labels given at random do as well? Labels are swapped among the pictures of each content."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.core.experiments import ClassifierName
from app.core.report import Permutation
from workers.verdict.classifier import coordinates, refit

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_EQUAL = 1e-12
_AS_GOOD = 10


def swapped(label: Labels, content: NDArray[np.str_], swaps: int, rng: np.random.Generator) -> Labels:
    """Return (swaps, n) labels, each row permuted within each content: for a pair, swapped or not.

    A picture that is alone in its content, or among others of its own label, keeps its label.
    """
    found = np.tile(label, (swaps, 1))
    for rows in _mixed(label, content):
        order = rng.random((swaps, len(rows))).argsort(axis=1)
        found[:, rows] = label[rows][order]
    return found


def on_scores(
    label: Labels, content: NDArray[np.str_], runs: Sequence[tuple[NDArray[np.intp], Array]], swaps: int, seed: int
) -> Permutation | None:
    """Test held-out scores against swapped test labels; the classifier is not fitted again.

    That is enough for one run: its scores come from a classifier that saw none of these labels, so if
    they say nothing of the label within a content, every swap is as likely as the truth. Several runs
    have pictures in common, and a classifier of one was fitted to labels that another tests, so no swap
    of the test labels is fair to all of them at once. Each run is tested alone, and K values of p are
    combined by Rüger's rule, which holds however they depend on each other: K/k times the k-th least,
    here with k half of K (Rüger, "Das maximale Signifikanzniveau des Tests …", 1978).

    Args:
        label, content: (n,) of the whole table.
        runs: of each run the rows of its test part and their scores.
        swaps: how many to try for each run.
        seed: fixes them.

    Returns:
        The combined test, with the mean AUROC of the runs tested and the fewest contents of any;
        None when no test part has a content with both labels.
    """
    rng = np.random.default_rng(seed)
    tests = [_on_run(label[rows], content[rows], score, swaps, rng) for rows, score in runs]
    found = [one for one in tests if one is not None]
    if not found:
        return None
    return Permutation(
        p=_combined([one.p for one in found]),
        smallest=_combined([one.smallest for one in found]),
        swaps=swaps,
        contents=min(one.contents for one in found),
        observed=round(sum(one.observed for one in found) / len(found), 6),
        refitted=False,
    )


def _on_run(label: Labels, content: NDArray[np.str_], score: Array, swaps: int, rng: np.random.Generator) -> Permutation | None:
    contents = _mixed(label, content)
    if not contents:
        return None
    observed = float(_auroc(label[None], score)[0])
    return _result(observed, _auroc(swapped(label, content, swaps, rng), score), label, contents, refitted=False)


def _combined(ps: Sequence[float]) -> float:
    """Return one p of several that may depend on each other in any way; of one p, itself."""
    place = (len(ps) + 1) // 2
    return min(1.0, sorted(ps)[place - 1] * len(ps) / place)


def on_refits(
    features: NDArray[np.floating],
    label: Labels,
    content: NDArray[np.str_],
    kind: ClassifierName,
    regularisation: float,
    swaps: int,
    seed: int,
    on_refit: Callable[[], None] = lambda: None,
) -> Permutation | None:
    """Test the AUROC on the training pictures themselves: the classifier is fitted again for each swap.

    Scores of pictures that were trained on know their labels, so nothing less would be fair. C is kept.
    A fit may take many seconds: it ends as soon as ten swaps have done as well as the truth, since no
    more of them make p small (Besag and Clifford, "Sequential Monte Carlo p-values", 1991).

    Args:
        features: (n, d) what the classifier sees.
        label, content: (n,).
        kind, regularisation: the classifier's.
        swaps: how many to try at most.
        seed: fixes them.
        on_refit: called after each fit; may raise, which ends the test.
    """
    contents = _mixed(label, content)
    if not contents:
        return None
    scale = np.maximum(features.std(axis=0), 1e-12) * np.sqrt(features.shape[1])
    rows, _ = coordinates(((features - features.mean(axis=0)) / scale).astype(np.float64))

    def fitted(truth: Labels) -> float:
        weights, bias = refit(rows, truth, kind, regularisation)
        return float(_auroc(truth[None], rows @ weights + bias)[0])

    with threadpool_limits(1, "blas"):
        observed = fitted(label)
        shuffled: list[float] = []
        as_good = 0
        for one in swapped(label, content, swaps, np.random.default_rng(seed)):
            shuffled.append(fitted(one))
            on_refit()
            as_good += shuffled[-1] >= observed - _EQUAL
            if as_good == _AS_GOOD:
                break
    return _result(observed, np.array(shuffled), label, contents, refitted=True)


def _mixed(label: Labels, content: NDArray[np.str_]) -> list[NDArray[np.intp]]:
    """Return the rows of each content that has both labels."""
    groups = [np.flatnonzero(content == one) for one in np.unique(content)]
    return [rows for rows in groups if 0 < label[rows].sum() < len(rows)]


def _auroc(labels: Labels, score: Array) -> Array:
    """Return the AUROC of one scoring under (b, n) labels, by the sum of ranks; NaN where a class is missing."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive = labels.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (labels @ ranks - positive * (positive + 1) / 2) / (positive * (labels.shape[1] - positive))


def _result(observed: float, shuffled: Array, label: Labels, contents: Sequence[NDArray[np.intp]], *, refitted: bool) -> Permutation:
    defined = shuffled[np.isfinite(shuffled)]
    swaps = len(defined)
    ways = sum(math.log(math.comb(len(rows), int(label[rows].sum()))) for rows in contents)
    # One among `ways` arrangements is the true one: no number of swaps makes p smaller than that.
    smallest = max(1 / (1 + swaps), math.exp(-ways))
    as_good = int((defined >= observed - _EQUAL).sum())
    return Permutation(
        p=max((1 + as_good) / (1 + swaps), smallest),
        smallest=smallest,
        swaps=swaps,
        contents=len(contents),
        observed=round(observed, 6),
        refitted=refitted,
    )
