"""The pictures that benches and sheets are made from: the page's samples, and two photographs that scikit-learn ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sklearn.datasets
from numpy.typing import NDArray
from PIL import Image

SAMPLES = Path(__file__).parents[1] / "static" / "samples"
SHIPPED = Path(sklearn.datasets.__file__).parent / "images"

# Photograph × painting: every painting of the page once, every photograph at least once.
PAIRS = (
    ("chelsea", "night"),
    ("coffee", "stained-glass"),
    ("astronaut", "poppies"),
    ("rocket", "woodblock"),
    ("astronaut", "cubist"),
    ("chelsea", "pointillism"),
    ("rocket", "sunset"),
    ("coffee", "marbling"),
    ("china", "watercolour"),
    ("photographer", "charcoal"),
    ("flower", "autumn"),
    ("galaxies", "tapestry"),
    ("china", "geometry"),
)
# What is in them, so that figures can be read by kind.
KINDS = {
    "chelsea": "animal",
    "coffee": "still life",
    "astronaut": "face",
    "rocket": "flat sky",
    "china": "architecture and flat sky",
    "photographer": "landscape with a figure",
    "flower": "plant",
    "galaxies": "night sky",
}
# By danielbuechele and vultilion on Flickr, Creative Commons Attribution 2.0: named where a picture made of them is shown.
_SHIPPED = {"china", "flower"}


def photograph(name: str) -> NDArray[np.uint8]:
    """Return one of the photographs as uint8 RGB."""
    path = SHIPPED / f"{name}.jpg" if name in _SHIPPED else SAMPLES / "content" / f"{name}.jpg"
    return np.asarray(Image.open(path).convert("RGB"))


def painting(name: str) -> NDArray[np.uint8]:
    """Return one of the project's own style samples as uint8 RGB."""
    return np.asarray(Image.open(SAMPLES / "style" / f"{name}.jpg").convert("RGB"))
