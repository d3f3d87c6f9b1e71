from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from skimage import data

from app.core.config import Settings
from app.core.errors import EngineError
from app.core.features import FEATURES, FeatureSet
from app.imaging.neutral import neutral
from workers.nets import weights
from workers.nets.inception_v3 import InceptionV3
from workers.verdict.feature_cache import FeatureCache
from workers.verdict.features import Extractor

SMALL = FeatureSet(name="midlevel", title="", help="", parts=(("conv_2", "mean"), ("conv_2", "mean_square")))


@pytest.fixture(scope="module")
def extractor(weights_cache: Settings) -> Extractor:
    return Extractor(weights_cache.model_copy(update={"precision": "float32"}))


def test_statistics_against_numpy(extractor: Extractor, weights_cache: Settings) -> None:
    pictures = [data.astronaut(), data.coffee(), data.chelsea()[:, :200]]
    found = extractor.describe(pictures, FEATURES["both"], batch=2)
    network = InceptionV3(weights.load("inception_v3", weights_cache))
    layers = network.features(tf.constant(neutral(pictures[2])[None], tf.float32), FEATURES["both"].layers)
    flat = {layer: value.numpy().reshape(-1, value.shape[-1]).astype(np.float64) for layer, value in layers.items()}
    expected = np.concatenate(
        [flat[layer].mean(0) if statistic == "mean" else (flat[layer] ** 2).mean(0) for layer, statistic in FEATURES["both"].parts]
    )
    assert found.shape == (3, FEATURES["both"].length) and found.dtype == np.float32
    np.testing.assert_allclose(found[2], expected, rtol=2e-3, atol=2e-5)


def test_bfloat16_stays_near(extractor: Extractor, weights_cache: Settings) -> None:
    rough = Extractor(weights_cache.model_copy(update={"precision": "bfloat16"}))
    one, other = (each.describe([data.rocket()], FEATURES["both"])[0] for each in (extractor, rough))
    assert 0 < np.linalg.norm(one - other) / np.linalg.norm(one) < 0.02


def test_maps_average_to_the_vector(extractor: Extractor) -> None:
    picture = data.coffee()
    maps = extractor.maps(picture, ("conv_2",))["conv_2"]
    expected = np.concatenate([maps.mean((0, 1)), np.square(maps).mean((0, 1))])
    np.testing.assert_allclose(extractor.describe([picture], SMALL)[0], expected, rtol=1e-3, atol=1e-5)


def test_pictures_are_taken_as_they_are_needed(extractor: Extractor) -> None:
    taken = 0

    def pictures() -> Iterator[np.ndarray]:
        nonlocal taken
        for number in range(40):
            taken += 1
            yield np.full((600, 800, 3), 5 * number, np.uint8)

    told: list[int] = []
    next(extractor.stream([np.zeros((8, 8, 3), np.uint8)], SMALL))
    tracemalloc.start()
    for number, _ in enumerate(extractor.stream(pictures(), SMALL, batch=4, on_progress=told.append), 1):
        assert taken <= number + 3
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told == list(range(4, 41, 4))
    # Forty pictures are 58 MB, a batch of four with its vectors about 6.
    assert peak < 15e6


def test_no_pictures_give_no_rows(extractor: Extractor) -> None:
    assert extractor.describe([], FEATURES["pooled"]).shape == (0, 2048)


def test_numbers_that_are_not_finite_are_told(extractor: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractor, "_graph", lambda _: lambda images: tf.fill([images.shape[0], 2], float("nan")))
    with pytest.raises(EngineError, match="not finite"):
        extractor.describe([data.coffee()], SMALL)


def test_a_picture_seen_before_is_not_computed_again(extractor: Extractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [data.coffee(), data.rocket(), data.coffee()]
    cache = FeatureCache(extractor, tmp_path)
    first = cache.describe(pictures, SMALL)
    np.testing.assert_allclose(first, extractor.describe(pictures, SMALL), rtol=1e-5)
    computed: list[int] = []
    stream = extractor.stream
    monkeypatch.setattr(
        extractor, "stream", lambda given, *args, **more: (computed.extend(map(len, given)), stream(given, *args, **more))[1]
    )
    np.testing.assert_array_equal(cache.describe(pictures, SMALL), first)
    assert computed == []
    changed = data.coffee().copy()
    changed[0, 0] ^= 1
    cache.describe([changed], SMALL)
    cache.describe([data.rocket()], FEATURES["pooled"])
    assert len(computed) == 2


def test_a_damaged_file_is_computed_again(extractor: Extractor, tmp_path: Path) -> None:
    cache = FeatureCache(extractor, tmp_path)
    first = cache.describe([data.coffee()], SMALL)
    (file,) = tmp_path.rglob("*.f32")
    file.write_bytes(file.read_bytes()[:-8])
    np.testing.assert_array_equal(cache.describe([data.coffee()], SMALL), first)
