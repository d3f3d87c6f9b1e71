from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from app.core.config import Settings
from workers.nets import weights
from workers.nets.adain_decoder import AdaINDecoder
from workers.nets.vgg19 import VGG19
from workers.style.instant import Instant

GOLDEN = Path(__file__).parents[1] / "golden" / "vgg19_adain.npz"


@pytest.mark.parametrize(("dtype", "tolerance"), [(tf.float32, 0.6 / 255), (tf.bfloat16, 4.0 / 255)])
def test_agrees_with_the_independent_implementation(weights_cache: Settings, dtype: tf.DType, tolerance: float) -> None:
    instant = Instant(VGG19(weights.load("vgg19", weights_cache)), AdaINDecoder(weights.load("adain_decoder", weights_cache)), dtype)
    with np.load(GOLDEN) as file:
        content, style, expected = (file[key] / np.float32(255) for key in ("content_uint8_256", "style_uint8_256", "adain_output_uint8"))
    found = instant.paint(content, style)
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 1
    assert float(np.abs(found - expected).mean()) < tolerance
