from __future__ import annotations

import os
import random
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import ArtefactError
from tests.nets.torch_files import Tensor, dumps, legacy, ordered, raw
from workers.nets.torch_legacy import read_legacy

KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) - 7.5
BIAS = np.array([0.25, -3.0], np.float32)


def good() -> OrderedDict[str, Tensor]:
    return ordered(weight=Tensor(KERNEL, "40"), bias=Tensor(BIAS, "7"))


def test_reads_names_shapes_and_numbers() -> None:
    arrays = read_legacy(legacy(good(), keys=["40", "7"]), "small.pth")
    assert list(arrays) == ["weight", "bias"]
    np.testing.assert_array_equal(arrays["weight"], KERNEL)
    np.testing.assert_array_equal(arrays["bias"], BIAS)
    assert arrays["weight"].dtype == np.float32


def test_the_order_of_storages_is_the_files_own() -> None:
    state = ordered(bias=Tensor(BIAS, "7"), weight=Tensor(KERNEL, "40"))
    data = legacy(state)
    tail = struct.pack("<q", 2) + raw(BIAS) + struct.pack("<q", 24) + raw(KERNEL)
    swapped = struct.pack("<q", 24) + raw(KERNEL) + struct.pack("<q", 2) + raw(BIAS)
    keys_then_tail = dumps(["7", "40"]) + tail
    assert data.endswith(keys_then_tail)
    arrays = read_legacy(data.removesuffix(keys_then_tail) + dumps(["40", "7"]) + swapped, "small.pth")
    np.testing.assert_array_equal(arrays["bias"], BIAS)


class Command:
    """Pickles as a call of ``os.system``."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("place", ["magic", "system", "state", "tensor", "keys"])
def test_a_command_is_refused_and_not_run(place: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    command: Any = Command(marker)
    data = {
        "magic": lambda: legacy(good(), magic=command),
        "system": lambda: legacy(good(), system=command),
        "state": lambda: legacy(command),
        "tensor": lambda: legacy({**good(), "more": command}),
        "keys": lambda: legacy(good(), keys=command),
    }[place]()
    with pytest.raises(ArtefactError, match=r"evil\.pth was refused: the pickle names 'posix system'"):
        read_legacy(data, "evil.pth")
    assert not marker.exists()


def test_calling_what_is_only_a_name_is_refused() -> None:
    for pickled in (
        b"\x80\x02ctorch\nFloatStorage\n)R.",
        b"\x80\x02K\x01)R.",
        b"\x80\x02ctorch\nFloatStorage\n)\x81.",
        b"\x80\x02K\x01}b.",
    ):
        with pytest.raises(ArtefactError, match="was refused"):
            read_legacy(dumps(0x1950A86A20F9469CFC6C) + dumps(1001) + dumps({"little_endian": True}) + pickled + dumps([]), "evil.pth")


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (Tensor(BIAS, "7", count=3), "a storage of 3 numbers for shape"),
        (Tensor(BIAS, "7", count=2**62), "numbers for shape"),
        (Tensor(BIAS, "7", count=-2), "a storage without a size"),
        (Tensor(BIAS, "7", count=0), "a storage without a size"),
        (Tensor(BIAS, "7", shape=(2**40, 2**40), strides=(2**40, 1)), "numbers for shape"),
        (Tensor(BIAS, "7", shape=(-2,)), "shape or strides"),
        (Tensor(BIAS, "7", shape=(0,)), "shape or strides"),
        (Tensor(BIAS, "7", shape=(2.0,)), "the instruction BINFLOAT"),
        (Tensor(BIAS, "7", shape=("2",)), "shape or strides"),
        (Tensor(BIAS, "7", shape=(True, 2), strides=(2, 1)), "shape or strides"),
        (Tensor(BIAS, "7", shape=[2]), "a list where a tuple belongs"),
        (Tensor(BIAS, "7", shape=(1, 1, 1, 1, 2), strides=(2, 2, 2, 2, 1)), "shape or strides"),
        (Tensor(BIAS, "7", offset=1), "numbers for shape"),
        (Tensor(BIAS, "7", offset=None), "numbers for shape"),
        (Tensor(KERNEL, "7", strides=(12, 4, 1, 2)), "not contiguous"),
        (Tensor(BIAS, "7", strides=(0,)), "shape or strides"),
        (Tensor(BIAS, "7", strides=(2,)), "not contiguous"),
        (Tensor(BIAS, "7", hooks=OrderedDict(hook="x")), "a tensor with hooks"),
        (Tensor(np.array([1, np.nan], np.float32), "7"), "not finite"),
        (Tensor(np.array([1, -np.inf], np.float32), "7"), "not finite"),
    ],
)
def test_a_tensor_that_lies_is_refused(tensor: Tensor, reason: str) -> None:
    with pytest.raises(ArtefactError, match=reason):
        read_legacy(legacy(ordered(bias=tensor)), "small.pth")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (legacy(good(), magic=1), "not in the old torch format"),
        (legacy(good(), system={"little_endian": False}), "another kind of machine"),
        (legacy(good(), system=[]), "another kind of machine"),
        (legacy([]), "no state dict"),
        (legacy({}), "no state dict"),
        (legacy({"a": 1}), "'a' is not a tensor"),
        (legacy({1: Tensor(BIAS, "7")}), "a key that is not text"),
        (legacy(ordered(a=Tensor(BIAS, "7"), b=Tensor(BIAS, "7"))), "'b' shares its storage"),
        (legacy(good(), keys=["40"]), "list of storages"),
        (legacy(good(), keys=["40", "7", "7"]), "list of storages"),
        (legacy(good(), keys=["40", "8"]), "list of storages"),
        (legacy(good(), counts={"7": 3}), "a storage of 3 numbers"),
        (legacy(good(), counts={"40": 2**62}), "numbers stands where 24 belong"),
        (legacy(good(), counts={"40": -1}), "a storage of -1 numbers"),
        (legacy(good()) + b"\0", "1 bytes follow"),
        (b"", "the pickle is damaged"),
        (b"\x80\x02]q\xff.", "old torch format|damaged|fit together"),
        (dumps(0x1950A86A20F9469CFC6C, protocol=4), "instruction|protocol"),
        (b"\x80\x02\x8a\xff" + b"\1" * 255 + b".", "old torch format|damaged"),
        (b"\x80\x02X\xff\xff\xff\xffabc.", "the pickle is damaged"),
        (b"\x80\x02Nr\xff\xff\xff\xff.", "old torch format|damaged"),
        (b"\x80\x02h\x05.", "do not fit together"),
        (b"\x80\x02.", "do not fit together"),
        (b"\x80\x02(.", "a mark where a value belongs"),
        (b"\x80\x02K\x01K\x02.", "values left over"),
        (b"\x80\x02\x82\x01.", "the instruction EXT1"),
        (b"\x80\x02(iposix\nsystem\n.", "the instruction INST"),
        (b"\x80\x02V1\n.", "the instruction UNICODE"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ArtefactError, match=rf"The weights file odd\.pth was refused: .*({reason})"):
        read_legacy(data, "odd.pth")


def test_every_shorter_file_is_refused() -> None:
    data = legacy(good())
    for length in range(len(data)):
        with pytest.raises(ArtefactError):
            read_legacy(data[:length], "short.pth")


def test_nested_a_hundred_thousand_deep_is_refused() -> None:
    deep = b"\x80\x02" + b")" + b"\x85" * 100_000 + b"."
    with pytest.raises(ArtefactError):
        read_legacy(deep, "deep.pth")
    with pytest.raises(ArtefactError, match="a key that is not text"):
        read_legacy(dumps(0x1950A86A20F9469CFC6C) + dumps(1001) + b"\x80\x02})" + b"\x85" * 100_000 + b"K\x01s.", "deep.pth")


def test_a_damaged_file_never_ends_in_another_kind_of_error() -> None:
    data, dice = legacy(good()), random.Random(5)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(data)
        for _ in range(dice.randint(1, 3)):
            damaged[dice.randrange(len(data))] = dice.randrange(256)
        try:
            arrays = read_legacy(bytes(damaged), "damaged.pth")
        except ArtefactError:
            refused += 1
        else:
            assert all(np.isfinite(array).all() for array in arrays.values())
    assert refused > 1500
