"""The pictures that benches and sheets are made from: photographs of scikit-image, paintings by a script of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SAMPLES = Path(__file__).parents[1] / "static" / "samples"

# Photograph × painting: skies and fur, portraits and streets, every style once.
PAIRS = (
    ("chelsea", "night"),
    ("coffee", "stained-glass"),
    ("astronaut", "poppies"),
    ("rocket", "woodblock"),
    ("astronaut", "cubist"),
    ("chelsea", "pointillism"),
    ("rocket", "sunset"),
    ("coffee", "marbling"),
)


def photograph(name: str) -> NDArray[np.uint8]:
    """Return one of the sample photographs, cut from scikit-image's, as uint8 RGB."""
    return np.asarray(Image.open(SAMPLES / "content" / f"{name}.jpg").convert("RGB"))


def painting(name: str) -> NDArray[np.uint8]:
    """Return one of the project's own style samples as uint8 RGB."""
    return np.asarray(Image.open(SAMPLES / "style" / f"{name}.jpg").convert("RGB"))
