"""What tells whether a representation is learning: alignment, spread, retrieval, detection, collapse. NumPy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.floating]

_RIDGE = 1e-3
_POINT, _LINE, _MANY = 0.2, 2.0, 4


def alignment(first: Embeddings, second: Embeddings) -> float:
    """Return the mean squared distance of positive pairs, (N, output) unit vectors each: 0 to 4.

    Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
    Uniformity on the Hypersphere", 2020, section 4.1, α = 2.
    """
    return float(np.mean(np.sum(np.square(first.astype(np.float64) - second), axis=1)))


def uniformity(z: Embeddings) -> float:
    """Return log mean exp(−2·D²) over all pairs of different rows of (M, output) unit vectors: −8 to 0.

    Wang and Isola, 2020, section 4.1, t = 2. 0 when all are one point; needs M of at least 2.
    """
    return float(np.log(np.mean(np.exp(-2 * _squared_distances(z)))))


def effective_rank(z: Embeddings) -> float:
    """Return exp of the entropy of the normalised singular values of (M, output): 1 to min(M, output).

    Roy and Vetterli, "The Effective Rank", 2007. Rows are not centred: one point has rank 1.
    """
    exact = z.astype(np.float64)
    # Of the smaller Gram matrix: a tenth of the decomposition's time.
    gram = exact @ exact.T if len(z) < z.shape[1] else exact.T @ exact
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    shares = values / values.sum()
    shares = shares[shares > 0]
    return float(np.exp(-np.sum(shares * np.log(shares))))


def collapsed(z: Embeddings, groups: int) -> bool:
    """Return whether embeddings have shrunk to a point, or, of four groups and more, to a line.

    To a point: their mean squared distance, 2 when they lie all round, is below 0.2.
    Measured: sound objectives end between 0.3 and 2; the paper's pairs, and BYOL without its
    stop and predictor, end below 0.12 within 60 epochs of 120 or more pairs. Fewer pairs can
    be brought together one by one, and then nothing shrinks further.
    To a line: an effective rank below 2. Two classes may have that: it is what they want.
    """
    return spread(z) < _POINT or (groups >= _MANY and effective_rank(z) < _LINE)


def spread(z: Embeddings) -> float:
    """Return the mean squared distance over all pairs of different rows of (M, output) unit vectors."""
    return float(np.mean(_squared_distances(z)))


def retrieval(queries: Embeddings, wanted: NDArray[Any], gallery: Embeddings, contents: NDArray[Any]) -> float | None:
    """Return R@1: the share of queries whose most similar row of the gallery has their content.

    Args:
        queries: (Q, output) embeddings of stylised pictures.
        wanted: (Q,) their contents.
        gallery: (G, output) embeddings of originals.
        contents: (G,) theirs.

    Returns:
        0 to 1. A tie with another content counts as a miss, so that a collapsed
        representation finds nothing. Queries whose content the gallery lacks are left out;
        None when that leaves none, or when there is one content to choose from.
    """
    is_known = np.isin(wanted, contents)
    if not is_known.any() or len(np.unique(contents)) < 2:
        return None
    similarity = queries[is_known] @ gallery.T
    is_own = wanted[is_known][:, None] == contents[None, :]
    own = np.max(similarity, axis=1, where=is_own, initial=-np.inf)
    other = np.max(similarity, axis=1, where=~is_own, initial=-np.inf)
    return float(np.mean(own > other))


def detection(z: Embeddings, label: NDArray[np.integer], held_out: Embeddings, held_out_label: NDArray[np.integer]) -> float | None:
    """Return the AUROC on held-out embeddings of a linear discriminant fitted to others.

    Fisher's discriminant with a small ridge: how well one direction tells stylised
    pictures (label 1) from originals (0).

    Returns:
        0 to 1, 0.5 being chance; None when either part has one label only.
    """
    if len(np.unique(label)) < 2 or len(np.unique(held_out_label)) < 2:
        return None
    centred = z.astype(np.float64) - z.mean(axis=0)
    covariance = centred.T @ centred / len(z) + _RIDGE * np.eye(z.shape[1])
    direction = np.linalg.solve(covariance, z[label == 1].mean(axis=0) - z[label == 0].mean(axis=0))
    scores = held_out @ direction
    stylised, original = scores[held_out_label == 1][:, None], scores[held_out_label == 0][None, :]
    return float(np.mean((stylised > original) + 0.5 * (stylised == original)))


def _squared_distances(z: Embeddings) -> NDArray[np.float64]:
    """Return D² of each pair of different rows, (M·(M − 1)/2,)."""
    above = np.triu_indices(len(z), 1)
    exact = z.astype(np.float64)
    return np.maximum(0, 2 - 2 * (exact @ exact.T)[above])
