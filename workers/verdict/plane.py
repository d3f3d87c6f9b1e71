"""Test pictures laid out in two dimensions."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
from numpy.typing import NDArray

from app.core.report import Map, MapPoint
from workers.verdict.table import ORIGINAL, STYLISED, Table

# More points than this only blacken the drawing.
_SHOWN = 600
_NEIGHBOURS = 15


def plane(table: Table, rows: NDArray[np.intp], embedding: NDArray[np.floating], shown: str, seed: int) -> Map | None:
    """Return the map of some pictures: by UMAP where it is installed, else by their two main directions.

    Args:
        table: all pictures.
        rows: (n,) those shown; of many, whole contents are drawn at random.
        embedding: (n, k) what lies behind the points.
        shown: the same in words.
        seed: fixes the draw and UMAP.

    Returns:
        None with fewer than three pictures.
    """
    if len(rows) > _SHOWN:
        contents = np.random.default_rng(seed).permutation(np.unique(table.content[rows]))
        order = {name: place for place, name in enumerate(contents)}
        first = np.argsort([order[name] for name in table.content[rows]], kind="stable")[:_SHOWN]
        rows, embedding = rows[first], embedding[first]
    if len(rows) < 3:
        return None
    laid = _umap(embedding, seed)
    places, explained = (laid, None) if laid is not None else principal(embedding)
    label, content = table.label[rows], table.content[rows]
    pairs = np.argwhere((content[:, None] == content[None, :]) & ((label == ORIGINAL)[:, None] & (label == STYLISED)[None, :]))
    return Map(
        method="PCA" if laid is None else "UMAP",
        shown=shown,
        points=tuple(
            MapPoint(picture=int(row), x=round(float(x), 4), y=round(float(y), 4)) for row, (x, y) in zip(rows, places, strict=True)
        ),
        pairs=tuple((int(one), int(other)) for one, other in pairs),
        explained=explained,
    )


def principal(embedding: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """Return (n, 2) coordinates along the two directions of greatest variance, and their share of it."""
    centred = embedding.astype(np.float64) - embedding.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    if len(singular) < 2:
        left, singular = np.pad(left, ((0, 0), (0, 1))), np.pad(singular, (0, 1))
    total = float((singular**2).sum())
    return left[:, :2] * singular[:2], round(float((singular[:2] ** 2).sum()) / total, 6) if total else 0.0


def _umap(embedding: NDArray[np.floating], seed: int) -> NDArray[np.float64] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            umap = importlib.import_module("umap")
            layout = umap.UMAP(n_neighbors=min(_NEIGHBOURS, len(embedding) - 1), metric="cosine", random_state=seed)
            return np.asarray(layout.fit_transform(embedding), np.float64)
    except ImportError:
        return None
