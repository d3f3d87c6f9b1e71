"""A detector without networks: the brighter a picture, the more it counts as stylised. Its evidence is exact."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from app.core.verdicts import Band, Evidence, Judgement, Neighbour, Novelty, Score

BAND = Band(low=0.4, threshold=0.5, high=0.6)
DETECTOR = "d" * 64
_BIAS = -4.0


class Brightness:
    """The logit is a thirty-second of the mean grey value, less four: 128 is the threshold."""

    def facts(self) -> dict[str, Any]:
        return {"detector": DETECTOR, "weights": {"inception_v3": "c" * 64}}

    def judge(self, pixels: np.ndarray) -> Judgement:
        # Halves of equal size, so that their means add up to the whole's.
        halves = np.array_split(pixels[:, : pixels.shape[1] // 2 * 2], 2, axis=1)
        cells = tuple(float(half.mean()) / 64 for half in halves)
        evidence = Evidence(rows=1, columns=2, cells=cells, bias=_BIAS)
        score = _score(evidence.logit)
        return Judgement(
            **score.model_dump(),
            band=BAND,
            evidence=evidence,
            neighbours=(Neighbour(name="grey", label="original", distance=1.0),),
            novelty=Novelty(unlike=False, distance=1.0, limit=2.0),
            detector=DETECTOR,
        )

    def probabilities(self, pictures: Iterable[np.ndarray]) -> Iterator[Score]:
        for pixels in pictures:
            yield _score(float(pixels.mean()) / 32 + _BIAS)


def _score(logit: float) -> Score:
    probability = 1 / (1 + math.exp(-logit))
    return Score(probability=probability, logit=logit, decision=BAND.decide(probability))
