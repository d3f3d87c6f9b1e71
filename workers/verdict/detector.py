"""A detector: a linear score of a picture's features, calibrated, in one small file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from app.core.errors import ArtefactError
from app.core.features import CHANNELS, FeatureSet
from app.core.verdicts import Band, Score
from app.imaging.neutral import VERSION
from workers.verdict.neighbours import Neighbourhood

Array = NDArray[np.floating]

SHIPPED = Path(__file__).with_name("detector.safetensors")
FORMAT = "pentimento-detector-1"


@dataclass(frozen=True)
class Detector:
    """Logit = (features − centre) · weights + bias; probability of stylised = 1 / (1 + exp(−logit)).

    Attributes:
        feature_set: what the numbers of a vector are.
        weights: float32 (d,), calibrated.
        centre: float32 (d,), the average training picture: against it the evidence is told.
        bias: logit of the average training picture.
        band: the fixed threshold, and the probabilities between which the answer is "uncertain".
        neighbourhood: of the training pictures, or None where it was not kept.
        facts: what a receipt and the model card state.
        digest: SHA-256 of the file; empty before it is written.
        largest: longer side to which the training pictures were reduced before they were made neutral, or None;
            what is judged has to be reduced likewise.
    """

    feature_set: FeatureSet
    weights: NDArray[np.float32]
    centre: NDArray[np.float32]
    bias: float
    band: Band
    neighbourhood: Neighbourhood | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    largest: int | None = None

    def logits(self, features: Array) -> NDArray[np.float64]:
        """Return the calibrated logits (n,) of features (n, d)."""
        return np.asarray((features.astype(np.float64) - self.centre) @ self.weights.astype(np.float64) + self.bias)

    def score(self, logit: float) -> Score:
        probability = probability_of(logit)
        return Score(probability=probability, logit=logit, decision=self.band.decide(probability))


def probability_of(logit: float) -> float:
    """Return 1 / (1 + exp(−logit)) without overflow."""
    return float(0.5 * (1.0 + np.tanh(0.5 * logit)))


def to_bytes(detector: Detector) -> bytes:
    """Return the file of ``detector``: safetensors, so that reading it runs nothing."""
    tensors: dict[str, NDArray[Any]] = {"weights": detector.weights, "centre": detector.centre}
    header: dict[str, Any] = {
        "format": FORMAT,
        "preprocessing": VERSION,
        "feature_set": detector.feature_set.model_dump(mode="json"),
        "bias": detector.bias,
        "band": detector.band.model_dump(),
        "facts": detector.facts,
    }
    if detector.largest is not None:
        header["largest"] = detector.largest
    if near := detector.neighbourhood:
        tensors |= {"near.centre": near.centre, "near.projection": near.projection, "near.signatures": near.signatures}
        tensors["near.stylised"] = near.stylised.astype(np.uint8)
        header |= {"limit": near.limit, "names": list(near.names)}
    # safetensors writes arrays that are not contiguous wrongly.
    whole = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    # One entry, since several would be written in no fixed order, and the same detector has to have one hash.
    return save(whole, {"detector": json.dumps(header)})


def from_bytes(data: bytes) -> Detector:
    """Return the detector in a file's bytes.

    Raises:
        ArtefactError: damaged, of another format, or for other preprocessing than this program's.
    """
    try:
        header = _header(data)
        if header["format"] != FORMAT or header["preprocessing"] != VERSION:
            raise ArtefactError(
                "This detector was made for another version of the program. Train it again."
                f" Received: {header['format']}, {header['preprocessing']}."
            )
        tensors = load(data)
        detector = _assembled(tensors, header, hashlib.sha256(data).hexdigest())
        _check(detector)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ArtefactError(f"The detector's file is damaged: {error}. Received: {len(data)} bytes.") from error
    return detector


def read(path: Path = SHIPPED) -> Detector:
    """Return the detector of a file; without a path, the shipped one.

    Raises:
        ArtefactError: no such file, or as for ``from_bytes``.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"The detector's file cannot be read: {error.strerror}. Received: {path.name}.") from error
    return from_bytes(data)


def _header(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    return dict(json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["detector"]))


def _assembled(tensors: dict[str, NDArray[Any]], header: dict[str, Any], digest: str) -> Detector:
    near = None
    if "near.projection" in tensors:
        near = Neighbourhood(
            tensors["near.centre"],
            tensors["near.projection"],
            tensors["near.signatures"],
            tuple(header["names"]),
            tensors["near.stylised"].astype(bool),
            float(header["limit"]),
        )
    feature_set, band = FeatureSet.model_validate(header["feature_set"]), Band.model_validate(header["band"])
    largest = None if header.get("largest") is None else int(header["largest"])
    if largest is not None and largest < 1:
        raise ValueError(f"pictures cannot be reduced to {largest} pixels")
    return Detector(feature_set, tensors["weights"], tensors["centre"], float(header["bias"]), band, near, header["facts"], digest, largest)


def _check(detector: Detector) -> None:
    unknown = [layer for layer in detector.feature_set.layers if layer not in CHANNELS]
    if unknown:
        raise ArtefactError(f"The detector asks for a layer that InceptionV3 does not have. Received: {unknown[0]}.")
    length = detector.feature_set.length
    shapes = {"weights": (detector.weights.shape, (length,)), "centre": (detector.centre.shape, (length,))}
    if near := detector.neighbourhood:
        count, directions = near.signatures.shape
        shapes["neighbourhood's centre"] = (near.centre.shape, (length,))
        shapes["projection"] = (near.projection.shape, (length, directions))
        shapes["names"] = ((len(near.names), *near.stylised.shape), (count, count))
    for name, (shape, expected) in shapes.items():
        if shape != expected:
            raise ArtefactError(f"The detector's {name} do not fit its features: {expected} expected. Received: {shape}.")
    numbers: list[Any] = [detector.weights, detector.centre, detector.bias]
    if near:
        numbers += [near.centre, near.projection, near.signatures, near.limit]
    if not all(np.isfinite(one).all() for one in numbers):
        raise ArtefactError("The detector's weights are not all finite numbers. Received: NaN or infinity.")
