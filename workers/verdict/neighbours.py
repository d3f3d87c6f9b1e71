"""The training pictures nearest to a picture, and whether it is unlike all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.verdicts import Neighbour, Novelty

Array = NDArray[np.floating]

SHOWN = 5


@dataclass(frozen=True)
class Neighbourhood:
    """Compressed signatures of the training pictures.

    Attributes:
        centre: float32 (d,), subtracted from features first.
        projection: float32 (d, k): standardises, and turns to the k main directions of the training part.
        signatures: float16 (n, k) of the training pictures.
        names: n names, as shown.
        stylised: bool (n,).
        limit: mean distance to the ``SHOWN`` nearest that all but one in a hundred validation pictures stay within.
    """

    centre: NDArray[np.float32]
    projection: NDArray[np.float32]
    signatures: NDArray[np.float16]
    names: tuple[str, ...]
    stylised: NDArray[np.bool_]
    limit: float

    def look(self, features: Array) -> tuple[tuple[Neighbour, ...], Novelty]:
        """Return the nearest training pictures of a float (d,) vector, nearest first, and how new it is."""
        distances = self.distances(features[None])[0]
        nearest = np.argsort(distances)[:SHOWN]
        found = tuple(
            Neighbour(name=self.names[i], label="stylised" if self.stylised[i] else "original", distance=round(float(distances[i]), 4))
            for i in nearest
        )
        distance = float(distances[nearest].mean())
        return found, Novelty(unlike=distance > self.limit, distance=distance, limit=self.limit)

    def distances(self, features: Array) -> NDArray[np.float64]:
        """Return Euclidean distances (m, n) of (m, d) features to the signatures."""
        own = (features - self.centre).astype(np.float64) @ self.projection
        others = self.signatures.astype(np.float64)
        squares = (own**2).sum(1)[:, None] + (others**2).sum(1) - 2 * own @ others.T
        return np.sqrt(np.maximum(squares, 0.0))


def neighbourhood(
    features: Array, names: tuple[str, ...], stylised: NDArray[np.bool_], others: Array, *, directions: int = 24
) -> Neighbourhood:
    """Compress the training part, and set the limit by pictures that are not in it.

    Args:
        features: (n, d) of the training part.
        names, stylised: of its n pictures.
        others: (m, d) of the validation part.
        directions: numbers kept of each picture.
    """
    centre, spread = features.mean(0), features.std(0)
    # A channel that hardly ever answers would become all noise.
    scale = 1 / np.maximum(spread, 0.05 * float(np.median(spread)) + 1e-12)
    standard = (features - centre) * scale
    values, vectors = np.linalg.eigh(standard @ standard.T)
    chosen = np.argsort(values)[::-1][:directions]
    axes = standard.T @ vectors[:, chosen] / np.sqrt(np.maximum(values[chosen], 1e-12))
    # Over the root of the number of features, so that distances are about 1 whatever their number.
    projection = (scale[:, None] * axes / np.sqrt(features.shape[1])).astype(np.float32)
    signatures = ((features - centre) @ projection).astype(np.float16)
    found = Neighbourhood(centre.astype(np.float32), projection, signatures, names, stylised, 0.0)
    near = np.sort(found.distances(others), axis=1)[:, :SHOWN].mean(1)
    return Neighbourhood(found.centre, found.projection, found.signatures, names, stylised, float(np.quantile(near, 0.99)))
