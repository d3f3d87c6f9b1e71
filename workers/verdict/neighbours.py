"""The training pictures nearest to a picture, and whether it is unlike all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from app.core.verdicts import Neighbour, NeighbourKind, Novelty

Array = NDArray[np.floating]

SHOWN = 5
_ORIGINALS: tuple[NeighbourKind, ...] = ("photograph", "painting", "style")


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

    def look(self, features: Array, kinds: Sequence[NeighbourKind | None] = ()) -> tuple[tuple[Neighbour, ...], Novelty]:
        """Return the nearest training pictures of a float (d,) vector, nearest first, and how new it is.

        Args:
            kinds: what each of the n training pictures is; empty where that is not known.
        """
        distances = self.distances(features[None])[0]
        nearest = np.argsort(distances)[:SHOWN]
        found = tuple(
            Neighbour(
                name=self.names[i],
                label="stylised" if self.stylised[i] else "original",
                kind=kinds[i] if len(kinds) else None,
                distance=round(float(distances[i]), 4),
            )
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


def kinds_of(near: Neighbourhood, facts: Mapping[str, Any]) -> tuple[NeighbourKind | None, ...]:
    """Return what each training picture is, as far as its detector's facts tell; None for the others.

    A training part stands in the order of its groups, originals first, and ``facts["pictures"]["train"]`` counts
    each group. Stylised pictures are told by their names, which end with the generator's.
    """
    pictures = facts.get("pictures")
    counts = pictures.get("train", {}) if isinstance(pictures, Mapping) else {}
    originals: list[NeighbourKind] = [kind for kind in _ORIGINALS for _ in range(counts.get(kind, 0))]
    if len(originals) + int(near.stylised.sum()) != len(near.names) or near.stylised[: len(originals)].any():
        return ()
    return (*originals, *(_generator(name) for name in near.names[len(originals) :]))


def _generator(name: str) -> NeighbourKind | None:
    return next((kind for kind in get_args(NeighbourKind) if kind not in _ORIGINALS and name.endswith(f"-{kind}")), None)


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
