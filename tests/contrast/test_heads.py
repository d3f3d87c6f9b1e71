from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file, save_file
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from app.core.errors import InputError
from workers.contrast.heads import Head, perceptron, standardisation, whitening
from workers.contrast.network import embed, forward, variables


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def head(rng: np.random.Generator) -> Head:
    return Head(*standardisation(rng.normal(3, 2, (40, 6)).astype(np.float32)), *perceptron(6, 64, 4, rng))


def test_embedding_is_the_two_layers_by_hand() -> None:
    head = Head(*(np.array(array, np.float32) for array in ([1, 0], [2, 1], [[1, 0], [0, -1]], [0, 1], [[3, 0], [0, 2]], [0, 0])))
    # (3, 4) → standardised (4, 4) → hidden (4, max(0, −4 + 1)) → output (12, 0); (1.5, −1) → (1, −1) → (1, 2) → (3, 4).
    np.testing.assert_allclose(head.embed(np.array([[3.0, 4.0], [1.5, -1.0]])), [[1, 0], [0.6, 0.8]], rtol=1e-6)


def test_numpy_and_tensorflow_agree(head: Head, rng: np.random.Generator) -> None:
    features = rng.normal(3, 2, (1100, 6)).astype(np.float32)
    weights = variables([head.hidden_kernel, head.hidden_bias, head.output_kernel, head.output_bias])
    x = tf.constant((features - head.mean) * head.scale)
    found = head.embed(features)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, embed(weights, x), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert (np.abs(np.linalg.norm(forward(weights, x), axis=1) - 1) > 0.01).any()


def test_no_pictures_have_no_embeddings(head: Head) -> None:
    assert head.embed(np.zeros((0, 6), np.float32)).shape == (0, 4)


def test_standardisation_is_scikit_learns(rng: np.random.Generator) -> None:
    features = (rng.normal(0, 1, (50, 7)) * 10.0 ** np.arange(-3, 4) + 5).astype(np.float32)
    mean, scale = standardisation(features)
    np.testing.assert_allclose((features - mean) * scale, StandardScaler().fit_transform(features.astype(np.float64)), atol=2e-3)


def test_a_feature_that_never_varied_says_nothing() -> None:
    mean, scale = standardisation(np.array([[0.1, 1], [0.1, 2], [0.1, 3]], np.float32))
    assert scale[0] == 0
    assert scale[1] == pytest.approx(1 / np.sqrt(2 / 3))
    np.testing.assert_array_equal((np.array([7.0, 2.0]) - mean) * scale, [0, 0])


def test_a_head_begins_as_a_projection(rng: np.random.Generator) -> None:
    hidden, _, output, _ = perceptron(20, 60, 12, rng)
    x = rng.standard_normal((9, 20))
    linear = hidden[:, :30] @ output[:30]
    np.testing.assert_allclose(np.maximum(x @ hidden, 0) @ output, x @ linear, atol=1e-5)
    np.testing.assert_allclose(hidden[:, :30] @ hidden[:, :30].T, np.eye(20), atol=1e-5)
    np.testing.assert_allclose(output[:30].T @ output[:30], np.eye(12), atol=1e-5)


@pytest.mark.parametrize("shape", [(6, 9, 4), (40, 8, 2), (5, 13, 30)])
def test_weights_depend_on_the_seed_alone(shape: tuple[int, int, int]) -> None:
    first, again, other = (perceptron(*shape, np.random.default_rng(seed)) for seed in (1, 1, 2))
    inputs, hidden, outputs = shape
    assert [array.shape for array in first] == [(inputs, hidden), (hidden,), (hidden, outputs), (outputs,)]
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert (first[0] != other[0]).any()
    assert not first[1].any()


@pytest.mark.parametrize("shape", [(50, 8), (12, 30)])
def test_whitening_is_that_of_scikit_learn_but_for_the_shrinkage(rng: np.random.Generator, shape: tuple[int, int]) -> None:
    x = rng.standard_normal(shape) @ np.diag(np.linspace(0.2, 3, shape[1]))
    x = (x - x.mean(axis=0)).astype(np.float32)
    pca = PCA(min(shape[1], shape[0] - 1)).fit(x.astype(np.float64))
    variances = pca.explained_variance_ * (len(x) - 1) / len(x)
    expected = pca.transform(x) / np.sqrt(variances + 0.1 * variances.mean())
    found = x @ whitening(x)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_a_head_survives_a_file(head: Head, tmp_path: Path, rng: np.random.Generator) -> None:
    save_file(head.arrays(), tmp_path / "head.safetensors")
    again = Head.of(load_file(tmp_path / "head.safetensors") | {"something": np.zeros(1)})
    features = rng.normal(3, 2, (5, 6))
    np.testing.assert_array_equal(head.embed(features), again.embed(features))


def test_files_that_are_no_head_are_refused(head: Head) -> None:
    arrays = head.arrays()
    with pytest.raises(InputError, match="scale missing"):
        Head.of({name: array for name, array in arrays.items() if name != "scale"})
    for name in arrays:
        with pytest.raises(InputError, match="do not fit together"):
            Head.of(arrays | {name: arrays[name][:-1]})


def test_features_of_another_length_are_refused(head: Head) -> None:
    with pytest.raises(InputError, match=r"takes 6 features a picture\. Received: an array of shape \(3, 5\)"):
        head.embed(np.zeros((3, 5)))
