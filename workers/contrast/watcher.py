"""Looking at a head between epochs: always at the same pictures, so that curves are smooth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf

from workers.contrast import monitor
from workers.contrast.network import Weights, embeddings
from workers.contrast.pairs import Batch, Indices, Pairs
from workers.contrast.table import Table

# Positive pairs looked at, of each part. Of held-out pictures all are retrieved and told apart.
_PAIRS = 256


class Looked(Protocol):
    """What a watcher needs of a learner."""

    @property
    def weights(self) -> Weights: ...

    def loss(self, features: tf.Tensor, batch: Batch) -> float: ...


@dataclass(frozen=True, eq=False)
class Part:
    """Standardised features (n·K, d), what they are of, and the pairs among them, None where there can be none."""

    features: tf.Tensor
    table: Table
    views: int
    pairs: Pairs | None


@dataclass(frozen=True)
class Look:
    """See ``TrainStep``."""

    alignment: float
    uniformity: float
    effective_rank: float
    collapsed: bool
    retrieval: float | None
    held_out_loss: float | None
    held_out_alignment: float | None
    detection: float | None


class Watcher:
    """The pictures to look at, drawn once."""

    def __init__(self, training: Part, held_out: Part | None, batch_size: int, rng: np.random.Generator) -> None:
        """Draw them.

        Args:
            training: has pairs.
            held_out: looked at as a whole.
            batch_size: pairs in a batch of the held-out loss.
        """
        self._training, self._held_out = training, held_out
        self._positives = training.pairs.positives(rng, _PAIRS)
        self._seen = np.unique(self._positives)
        self._groups = len(np.unique(training.pairs.groups))
        has_pairs = held_out is not None and held_out.pairs is not None
        self._held_positives = held_out.pairs.positives(rng, _PAIRS) if has_pairs else None
        self._batches = list(held_out.pairs.epoch(rng, batch_size)) if has_pairs else []

    def look(self, learner: Looked) -> Look:
        z = embeddings(learner.weights, self._training.features, self._seen).numpy()
        return Look(
            alignment=_alignment(learner, self._training, self._positives),
            uniformity=monitor.uniformity(z),
            effective_rank=monitor.effective_rank(z),
            collapsed=monitor.collapsed(z, self._groups),
            **self._look_away(learner, z),
        )

    def _look_away(self, learner: Looked, z: np.ndarray) -> dict[str, float | None]:
        """Return what is told of the held-out part; ``z`` are embeddings of the training part."""
        if (held := self._held_out) is None:
            return dict.fromkeys(("retrieval", "held_out_loss", "held_out_alignment", "detection"))
        # The first view is the picture as it is.
        away = embeddings(learner.weights, held.features, np.arange(0, len(held.table) * held.views, held.views, dtype=np.int32)).numpy()
        is_stylised = held.table.label == 1
        contents = held.table.content
        weights = [len(batch.rows) for batch in self._batches]
        losses = [learner.loss(held.features, batch) for batch in self._batches]
        label = self._training.table.label[self._seen // self._training.views]
        return {
            "retrieval": monitor.retrieval(away[is_stylised], contents[is_stylised], away[~is_stylised], contents[~is_stylised]),
            "held_out_loss": float(np.average(losses, weights=weights)) if losses else None,
            "held_out_alignment": None if self._held_positives is None else _alignment(learner, held, self._held_positives),
            "detection": monitor.detection(z, label, away, held.table.label),
        }


def _alignment(learner: Looked, part: Part, positives: Indices) -> float:
    return monitor.alignment(*(embeddings(learner.weights, part.features, side).numpy() for side in positives))
