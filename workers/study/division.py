"""Dividing the training domain for one seed: pictures to fit to, to choose by, and to test with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.errors import InputError

# Of what is not tested with, the share by which the classifier's weight decay is chosen.
_VALIDATED = 0.25


@dataclass(frozen=True)
class Division:
    """Places among the pictures of the training domain; no cluster is in two parts.

    Attributes:
        fit: an even number of them, so that pairs by label leave nobody over.
    """

    fit: NDArray[np.intp]
    validate: NDArray[np.intp]
    test: NDArray[np.intp]


def divide(klass: NDArray[np.intp], cluster: NDArray[np.intp], test_share: float, seed: int) -> Division:
    """Divide at random, class by class, keeping nearly equal pictures together.

    Args:
        klass, cluster: (n,) of each picture; a cluster has one class.
        test_share: of the clusters of each class, at least one.
        seed: fixes the draw.

    Raises:
        InputError: a class with fewer than four different pictures, or all of them fewer than six to fit to.
    """
    rng = np.random.default_rng([seed, 4])
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for one in np.unique(klass):
        names = rng.permutation(np.unique(cluster[klass == one]))
        tested = max(1, round(test_share * len(names)))
        validated = max(1, round(_VALIDATED * (len(names) - tested)))
        if len(names) - tested - validated < 2:
            raise InputError(
                f"A class needs at least four pictures that are no copies of each other. Received: {len(names)}.", field="archive"
            )
        ends = tested, tested + validated, len(names)
        for part, begin, end in zip(parts, (0, *ends), ends, strict=False):
            part.extend(np.flatnonzero(np.isin(cluster, names[begin:end]) & (klass == one)).tolist())
    test, validate, fit = (np.array(sorted(part), np.intp) for part in parts)
    if len(fit) < 6:
        raise InputError(f"There are too few pictures to train on: at least six are needed. Received: {len(fit)}.", field="archive")
    if len(fit) % 2:
        fit = np.delete(fit, rng.integers(len(fit)))
    return Division(fit, validate, test)
