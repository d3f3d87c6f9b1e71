"""What each network's weights must be: names and shapes, stated before any file is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from app.core.errors import ArtefactError
from app.infra.artefacts import INCEPTION_V3, VGG19, Package
from workers.nets.torch_legacy import read_legacy
from workers.nets.torch_script import read_script

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """One network: where its weights come from and what they hold.

    Attributes:
        package: the registry file; the member has the network's own name there.
        read: turns the member's bytes into arrays by source name.
        tensors: stored name to (source name, shape in the source, kernels OIHW). All float32.
    """

    package: Package
    read: Callable[[bytes, str], dict[str, np.ndarray]]
    tensors: Mapping[str, tuple[str, Shape]]


VGG19_LAYERS: tuple[tuple[str, int, int, int], ...] = (
    # name, index in the source, channels in, channels out
    ("1_1", 2, 3, 64),
    ("1_2", 5, 64, 64),
    ("2_1", 9, 64, 128),
    ("2_2", 12, 128, 128),
    ("3_1", 16, 128, 256),
    ("3_2", 19, 256, 256),
    ("3_3", 22, 256, 256),
    ("3_4", 25, 256, 256),
    ("4_1", 29, 256, 512),
    ("4_2", 32, 512, 512),
    ("4_3", 35, 512, 512),
    ("4_4", 38, 512, 512),
    ("5_1", 42, 512, 512),
    ("5_2", 45, 512, 512),
    ("5_3", 48, 512, 512),
    ("5_4", 51, 512, 512),
)
DECODER_LAYERS: tuple[tuple[str, int, int, int], ...] = (
    # The encoder's layers in reverse: name, index in the source, channels in, channels out
    ("4_1", 1, 512, 256),
    ("3_4", 5, 256, 256),
    ("3_3", 8, 256, 256),
    ("3_2", 11, 256, 256),
    ("3_1", 14, 256, 128),
    ("2_2", 18, 128, 128),
    ("2_1", 21, 128, 64),
    ("1_2", 25, 64, 64),
    ("1_1", 28, 64, 3),
)


def _convolutions(layers: tuple[tuple[str, int, int, int], ...]) -> dict[str, tuple[str, Shape]]:
    tensors: dict[str, tuple[str, Shape]] = {}
    for name, index, inputs, outputs in layers:
        tensors[f"conv{name}.kernel"] = (f"{index}.weight", (outputs, inputs, 3, 3))
        tensors[f"conv{name}.bias"] = (f"{index}.bias", (outputs,))
    return tensors


# Below, each convolution is (path in the source, channels out, channels in, height, width).
_Conv = tuple[str, int, int, int, int]


def _block_a(inputs: int, pool: int) -> list[_Conv]:
    return [
        ("conv", 64, inputs, 1, 1),
        ("tower.conv", 48, inputs, 1, 1),
        ("tower.conv_1", 64, 48, 5, 5),
        ("tower_1.conv", 64, inputs, 1, 1),
        ("tower_1.conv_1", 96, 64, 3, 3),
        ("tower_1.conv_2", 96, 96, 3, 3),
        ("tower_2.conv", pool, inputs, 1, 1),
    ]


def _block_c(n: int) -> list[_Conv]:
    return [
        ("conv", 192, 768, 1, 1),
        ("tower.conv", n, 768, 1, 1),
        ("tower.conv_1", n, n, 1, 7),
        ("tower.conv_2", 192, n, 7, 1),
        ("tower_1.conv", n, 768, 1, 1),
        ("tower_1.conv_1", n, n, 7, 1),
        ("tower_1.conv_2", n, n, 1, 7),
        ("tower_1.conv_3", n, n, 7, 1),
        ("tower_1.conv_4", 192, n, 1, 7),
        ("tower_2.conv", 192, 768, 1, 1),
    ]


def _block_e(inputs: int) -> list[_Conv]:
    return [
        ("conv", 320, inputs, 1, 1),
        ("tower_conv", 384, inputs, 1, 1),
        ("tower_mixed_conv", 384, 384, 1, 3),
        ("tower_mixed_conv_1", 384, 384, 3, 1),
        ("tower_1_conv", 448, inputs, 1, 1),
        ("tower_1_conv_1", 384, 448, 3, 3),
        ("tower_1_mixed_conv", 384, 384, 1, 3),
        ("tower_1_mixed_conv_1", 384, 384, 3, 1),
        ("tower_2_conv", 192, inputs, 1, 1),
    ]


_STEM: list[_Conv] = [
    ("conv", 32, 3, 3, 3),
    ("conv_1", 32, 32, 3, 3),
    ("conv_2", 64, 32, 3, 3),
    ("conv_3", 80, 64, 1, 1),
    ("conv_4", 192, 80, 3, 3),
]
_BLOCK_B: list[_Conv] = [
    ("conv", 384, 288, 3, 3),
    ("tower.conv", 64, 288, 1, 1),
    ("tower.conv_1", 96, 64, 3, 3),
    ("tower.conv_2", 96, 96, 3, 3),
]
_BLOCK_D: list[_Conv] = [
    ("tower.conv", 192, 768, 1, 1),
    ("tower.conv_1", 320, 192, 3, 3),
    ("tower_1.conv", 192, 768, 1, 1),
    ("tower_1.conv_1", 192, 192, 1, 7),
    ("tower_1.conv_2", 192, 192, 7, 1),
    ("tower_1.conv_3", 192, 192, 3, 3),
]
_INCEPTION_BLOCKS: dict[str, list[_Conv]] = {
    "": _STEM,
    "mixed.": _block_a(192, 32),
    "mixed_1.": _block_a(256, 64),
    "mixed_2.": _block_a(288, 64),
    "mixed_3.": _BLOCK_B,
    "mixed_4.": _block_c(128),
    "mixed_5.": _block_c(160),
    "mixed_6.": _block_c(160),
    "mixed_7.": _block_c(192),
    "mixed_8.": _BLOCK_D,
    "mixed_9.": _block_e(1280),
    "mixed_10.": _block_e(2048),
}


def _inception() -> dict[str, tuple[str, Shape]]:
    convolutions = [(block + path, shape) for block, parts in _INCEPTION_BLOCKS.items() for path, *shape in parts]
    tensors: dict[str, tuple[str, Shape]] = {}
    for number, (path, shape) in enumerate(convolutions):
        tensors[f"conv{number:02d}.kernel"] = (f"net.layers.{path}.weight", tuple(shape))
        for part in ("beta", "mean", "var"):
            tensors[f"conv{number:02d}.{part}"] = (f"net.layers.{path}.{part}", (shape[0],))
    return tensors


NETWORKS: dict[str, Network] = {
    "vgg19": Network(
        VGG19,
        read_legacy,
        {"input.kernel": ("0.weight", (3, 3, 1, 1)), "input.bias": ("0.bias", (3,)), **_convolutions(VGG19_LAYERS)},
    ),
    "adain_decoder": Network(VGG19, read_legacy, _convolutions(DECODER_LAYERS)),
    "inception_v3": Network(INCEPTION_V3, read_script, _inception()),
}


def from_source(name: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a network's arrays by stored name, kernels HWIO, each contiguous float32.

    Raises:
        ArtefactError: other names, shapes or types than this page states.
    """
    tensors = NETWORKS[name].tensors
    _compare(name, arrays, dict(tensors.values()))
    return {stored: _hwio(arrays[source]) for stored, (source, _) in tensors.items()}


def check_stored(name: str, arrays: dict[str, np.ndarray]) -> None:
    """Raise ArtefactError unless ``arrays`` are what ``from_source`` gives for this network."""
    expected = {stored: _hwio_shape(shape) for stored, (_, shape) in NETWORKS[name].tensors.items()}
    _compare(name, arrays, expected)


def _compare(name: str, arrays: dict[str, np.ndarray], expected: dict[str, Shape]) -> None:
    found = {key: (array.shape, array.dtype) for key, array in arrays.items()}
    wanted = {key: (shape, np.dtype(np.float32)) for key, shape in expected.items()}
    if found != wanted:
        differing = sorted(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))
        first = differing[0]
        raise ArtefactError(f"The weights of {name} differ from the manifest at {first!r}: {found.get(first)} for {wanted.get(first)}.")


def _hwio(array: np.ndarray) -> np.ndarray:
    # safetensors writes a transposed view in the wrong order without complaint.
    return np.ascontiguousarray(array.transpose(2, 3, 1, 0) if array.ndim == 4 else array)


def _hwio_shape(shape: Shape) -> Shape:
    return (shape[2], shape[3], shape[1], shape[0]) if len(shape) == 4 else shape
