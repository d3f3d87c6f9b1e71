"""The judge: network and detector of one process, pictures in, verdicts out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.core.config import Settings
from app.core.verdicts import Evidence, Judgement, Novelty, Score
from app.imaging.neutral import VERSION, reduced
from workers.nets import weights
from workers.verdict.detector import Detector, from_bytes, read
from workers.verdict.explain import CELLS, evidence, vector
from workers.verdict.features import BATCH, Extractor
from workers.verdict.neighbours import kinds_of

Pixels = NDArray[np.uint8]

NOTE = (
    f"The whole picture was squeezed to one square and divided into {CELLS} by {CELLS} equal parts. Each number is what"
    " its part adds to the logit, against the average training picture; a deep layer's answer is spread over all it saw."
)


class Judge:
    """Gives verdicts on any picture."""

    def __init__(self, settings: Settings, detector: Detector | None = None) -> None:
        """Load the network from the cache, and the detector.

        Args:
            settings: where the cache is.
            detector: by default the shipped one.

        Raises:
            ArtefactError: weights or detector missing or damaged.
        """
        self.detector = detector or read()
        self._extractor = Extractor(settings)
        self._digest = weights.digests(settings)["inception_v3"]

    def using(self, data: bytes) -> Judge:
        """Return a judge on the same network with the detector in a file's bytes.

        Raises:
            ArtefactError: damaged, or made for other preprocessing.
        """
        other = copy(self)
        other.detector = from_bytes(data)
        return other

    def facts(self) -> dict[str, Any]:
        """Return what a receipt states about this judge."""
        return {
            "detector": self.detector.digest,
            "features": self.detector.feature_set.name,
            "preprocessing": VERSION,
            "weights": {"inception_v3": self._digest},
            "libraries": {"tensorflow": str(tf.__version__), "numpy": np.__version__},
            "precision": self._extractor.precision,
        }

    def judge(self, pixels: Pixels) -> Judgement:
        """Return the verdict on one picture with its evidence.

        Args:
            pixels: uint8 RGB (height, width, 3) of any size.

        Raises:
            PictureError: not a picture.
        """
        detector = self.detector
        maps = self._extractor.maps(reduced(pixels, detector.largest), detector.feature_set.layers)
        features = vector(detector, maps)
        score = detector.score(float(detector.logits(features[None])[0]))
        around = detector.neighbourhood
        near, novelty = (
            around.look(features, kinds_of(around, detector.facts)) if around else ((), Novelty(unlike=False, distance=0, limit=0))
        )
        cells = evidence(detector, maps)
        return Judgement(
            probability=score.probability,
            logit=score.logit,
            decision=score.decision,
            band=detector.band,
            evidence=Evidence(rows=CELLS, columns=CELLS, cells=tuple(cells.ravel().tolist()), bias=detector.bias, note=NOTE),
            neighbours=near,
            novelty=novelty,
            detector=detector.digest,
        )

    def probabilities(self, pictures: Iterable[Pixels], *, batch: int = BATCH) -> Iterator[Score]:
        """Yield the verdict on each picture without its evidence, holding no more than a batch of them.

        Args:
            pictures: uint8 RGB (height, width, 3) of any sizes.
            batch: pictures that go through the network together.
        """
        detector = self.detector
        seen = (reduced(picture, detector.largest) for picture in pictures)
        for features in self._extractor.stream(seen, detector.feature_set, batch=batch):
            yield detector.score(float(detector.logits(features[None])[0]))
