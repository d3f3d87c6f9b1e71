"""What a study asks of whatever turns pictures into numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.features import FeatureSet


class Describer(Protocol):
    """``workers.verdict.feature_cache.FeatureCache``, or an ``Extractor``."""

    @property
    def precision(self) -> str: ...

    def stream(
        self, pictures: Iterable[NDArray[np.uint8]], feature_set: FeatureSet, *, on_progress: Callable[[int], None] | None = None
    ) -> Iterator[NDArray[np.float32]]: ...
