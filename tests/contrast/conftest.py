"""A small real set: photographs and paintings, what AdaIN makes of them, and InceptionV3 features of all."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import skimage.data
import tensorflow as tf
from PIL import Image

from app.core.config import Settings
from app.core.specs import resolve
from workers.contrast.table import Table
from workers.nets import weights
from workers.nets.inception_v3 import InceptionV3
from workers.style.engine import Engine

SAMPLES = Path(__file__).parents[2] / "static" / "samples"
STYLES = ("night", "woodblock", "watercolour")
SIDE = 96


class SmallSet(NamedTuple):
    """Twelve contents, each as it is and in three styles; the last four contents are held out."""

    features: np.ndarray
    table: Table
    held_out: tuple[np.ndarray, Table]


def square(pixels: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("RGB").resize((side, side), Image.Resampling.BICUBIC))


def sample(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture(scope="session")
def small_set(weights_cache: Settings) -> SmallSet:
    photographs = [sample(path) for path in sorted((SAMPLES / "content").glob("*.jpg"))]
    photographs += [
        skimage.data.cat()[:, 75:375],
        skimage.data.immunohistochemistry(),
        skimage.data.coins(),
        skimage.data.retina()[300:1100, 300:1100],
    ]
    photographs += [sample(SAMPLES / "style" / f"{name}.jpg") for name in ("poppies", "tapestry")]
    styles = [square(sample(SAMPLES / "style" / f"{name}.jpg"), SIDE) for name in STYLES]
    engine, params = Engine(weights_cache), resolve("instant", {"size": SIDE})
    pictures, content, style = [], [], []
    for number, photograph in enumerate(photographs):
        original = square(photograph, SIDE)
        versions = [engine.instant(original, one, params) for one in styles]
        for name, picture in zip(("", *STYLES), (original, *versions), strict=True):
            pictures.append(picture)
            content.append(f"{number:02d}")
            style.append(name)
    found = InceptionV3(weights.load("inception_v3", weights_cache)).features(
        tf.constant(np.stack(pictures), tf.float32), ["mixed_2", "mixed_6"]
    )
    features = np.concatenate([np.mean(layer, axis=(1, 2)) for layer in found.values()], axis=1)
    table = Table(np.array(content), np.array(style), (np.array(style) != "").astype(int))
    is_held_out = table.content >= "08"
    assert is_held_out.sum() == 16
    return SmallSet(features[~is_held_out], table.rows(~is_held_out), (features[is_held_out], table.rows(is_held_out)))
