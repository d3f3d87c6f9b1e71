"""Whether a stylised picture's embedding still lies with its original's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.core.report import Invariance
from workers.verdict.table import ORIGINAL, STYLISED


def invariance(embedding: NDArray[np.floating], label: NDArray[np.int64], content: NDArray[np.str_]) -> Invariance:
    """Measure retrieval and alignment.

    Args:
        embedding: (n, k); compared by direction alone.
        label: (n,) 0 original, 1 stylised.
        content: (n,) str.

    Returns:
        Over the stylised pictures whose original is there, R@1 among all originals and what guessing
        would give; and the mean squared distance of unit vectors of all content–stylised pairs, 0 to 4.
        None without a pair; no retrieval with a single content to choose from.
    """
    units = embedding / np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
    originals, stylised = units[label == ORIGINAL], units[label == STYLISED]
    theirs = content[label == STYLISED][:, None] == content[label == ORIGINAL][None, :]
    if not theirs.any():
        return Invariance(retrieval=None, chance=None, alignment=None)
    similarity = stylised @ originals.T
    alignment = float(np.mean(2 - 2 * similarity[theirs]))
    retrieval = chance = None
    if len(np.unique(content[label == ORIGINAL])) > 1:
        paired = theirs.any(axis=1)
        found = theirs[np.arange(len(theirs)), similarity.argmax(axis=1)]
        retrieval, chance = round(float(found[paired].mean()), 6), round(float(theirs[paired].mean()), 6)
    return Invariance(retrieval=retrieval, chance=chance, alignment=round(max(alignment, 0.0), 6))
