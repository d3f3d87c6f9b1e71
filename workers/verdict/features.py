"""Pictures to vectors: means and mean squares of InceptionV3's channels, streamed in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.config import Settings
from app.core.errors import EngineError
from app.core.features import FeatureSet
from app.imaging.neutral import SIDE, neutral
from workers.nets import weights
from workers.nets.inception_v3 import InceptionV3
from workers.nets.precision import choose

BATCH = 16
OnDescribed = Callable[[int], None]


class Extractor:
    """InceptionV3 of one process, with one graph for each feature set used."""

    def __init__(self, settings: Settings) -> None:
        """Load the network from the cache.

        Raises:
            ArtefactError: weights missing or damaged.
            EngineError: no such precision.
        """
        self.precision = choose(settings.precision)
        self._network = InceptionV3(weights.load("inception_v3", settings))
        self._graphs: dict[tuple[tuple[str, str], ...], tf.types.experimental.PolymorphicFunction] = {}
        self._maps: dict[tuple[str, ...], tf.types.experimental.PolymorphicFunction] = {}

    def stream(
        self,
        pictures: Iterable[NDArray[np.uint8]],
        feature_set: FeatureSet,
        *,
        batch: int = BATCH,
        on_progress: OnDescribed | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """Yield one vector for each picture, holding no more than a batch of pictures at a time.

        Args:
            pictures: uint8 RGB (height, width, 3) of any sizes, taken when needed.
            feature_set: which layers and statistics.
            batch: pictures that go through the network together, at least 1.
            on_progress: told how many pictures are done, after each batch.

        Yields:
            float32 (feature_set.length,).

        Raises:
            PictureError: not a picture.
            EngineError: features that are not finite.
        """
        graph = self._graph(feature_set)
        waiting = (neutral(picture) for picture in pictures)
        done = 0
        while some := list(islice(waiting, batch)):
            found = graph(tf.constant(np.stack(some))).numpy()
            if not np.isfinite(found).all():
                raise EngineError(
                    f"The network's numbers for picture {done + 1} or one soon after it are not finite. Received: NaN or infinity."
                )
            yield from found
            done += len(some)
            if on_progress:
                on_progress(done)

    def describe(
        self,
        pictures: Iterable[NDArray[np.uint8]],
        feature_set: FeatureSet,
        *,
        batch: int = BATCH,
        on_progress: OnDescribed | None = None,
    ) -> NDArray[np.float32]:
        """Return all vectors of ``stream`` as one float32 array (pictures, feature_set.length)."""
        rows = list(self.stream(pictures, feature_set, batch=batch, on_progress=on_progress))
        return np.stack(rows) if rows else np.zeros((0, feature_set.length), np.float32)

    def maps(self, picture: NDArray[np.uint8], layers: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
        """Return the activations of one picture, layer name to float32 (h, w, channels), after the same preprocessing."""
        if layers not in self._maps:

            def activations(images: tf.Tensor) -> dict[str, tf.Tensor]:
                found = self._network.features(tf.cast(images, tf.float32), layers, dtype=tf.as_dtype(self.precision))
                return {layer: tf.cast(value, tf.float32) for layer, value in found.items()}

            self._maps[layers] = tf.function(activations, input_signature=[_PICTURES])
        found = self._maps[layers](tf.constant(neutral(picture)[None]))
        return {layer: value.numpy()[0] for layer, value in found.items()}

    def _graph(self, feature_set: FeatureSet) -> tf.types.experimental.PolymorphicFunction:
        parts = feature_set.parts
        if parts not in self._graphs:

            def statistics(images: tf.Tensor) -> tf.Tensor:
                found = self._network.features(tf.cast(images, tf.float32), feature_set.layers, dtype=tf.as_dtype(self.precision))
                exact = {layer: tf.cast(value, tf.float32) for layer, value in found.items()}
                return tf.concat([_STATISTICS[statistic](exact[layer]) for layer, statistic in parts], axis=1)

            self._graphs[parts] = tf.function(statistics, input_signature=[_PICTURES])
        return self._graphs[parts]


_PICTURES = tf.TensorSpec([None, SIDE, SIDE, 3], tf.uint8)
_STATISTICS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "mean": lambda x: tf.reduce_mean(x, [1, 2]),
    "mean_square": lambda x: tf.reduce_mean(tf.square(x), [1, 2]),
}
