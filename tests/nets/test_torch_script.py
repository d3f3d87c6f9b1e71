from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.errors import ArtefactError
from tests.nets.torch_files import StorageId, Tensor, archive, dumps, module, script_parts
from workers.nets.torch_script import read_script

WEIGHT = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6)
BETA = np.array([4.0, 5.0], np.float32)
TENSORS = [Tensor(WEIGHT, "0"), Tensor(BETA, "1")]


def tree(*tensors: Tensor) -> Any:
    weight, beta = tensors or TENSORS
    return module(training=True, inner=module(weight=weight, beta=beta, stride=2), padding=(0, 1))


def good() -> list[tuple[str, bytes]]:
    return script_parts(tree(), TENSORS)


def changed(path: str, data: bytes) -> list[tuple[str, bytes]]:
    return [(name, data if name == path else old) for name, old in good()]


def test_reads_names_shapes_and_numbers() -> None:
    arrays = read_script(archive(good()), "small.pt")
    assert list(arrays) == ["inner.weight", "inner.beta"]
    np.testing.assert_array_equal(arrays["inner.weight"], WEIGHT)
    np.testing.assert_array_equal(arrays["inner.beta"], BETA)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([*good(), ("../out", b"x")], "a member called"),
        ([*good(), ("net/../../out", b"x")], "a member called"),
        ([*good(), ("/etc/out", b"x")], "a member called"),
        ([*good(), ("net/code//x", b"x")], "a member called"),
        ([*good(), ("net/code\\..\\x", b"x")], "a member called"),
        ([*good(), ("other/data/0", b"x")], "a member called"),
        ([*good(), ("net/data.pkl", b"x")], "twice"),
        ([*good(), ("net/data/0", b"x")], "twice"),
        ([*good(), ("net/data/2", b"1234")], "belong to no tensor"),
        ([part for part in good() if part[0] != "net/data/1"], "missing or shared"),
        ([part for part in good() if part[0] != "net/data.pkl"], "missing or too large"),
        ([part for part in good() if part[0] != "net/constants.pkl"], "missing or too large"),
        (changed("net/constants.pkl", dumps((1,))), "holds constants"),
        (changed("net/data.pkl", dumps({})), "holds no module"),
        (changed("net/data.pkl", dumps(tree()) + b"."), "1 bytes follow"),
        (changed("net/data.pkl", dumps(tree()) + b" " * 1_000_000), "missing or too large"),
        (changed("net/data/1", b"\0" * 12), "has 12 bytes for shape"),
        (changed("net/data/1", np.array([np.nan, 1], "<f4").tobytes()), "not finite"),
        (script_parts(tree(TENSORS[0], Tensor(BETA, "0", count=12, shape=(12,), strides=(1,))), TENSORS), "missing or shared"),
        (script_parts(tree(TENSORS[0], Tensor(BETA, "../data.pkl")), TENSORS), "missing or shared"),
        (script_parts(tree(TENSORS[0], Tensor(BETA, "1", count=2**61)), TENSORS), "numbers for shape"),
        (script_parts(tree(TENSORS[0], Tensor(BETA, "1", strides=(2,))), TENSORS), "not contiguous"),
        ([], "before or after"),
    ],
)
def test_an_archive_that_is_not_as_it_should_be_is_refused(parts: list[tuple[str, bytes]], reason: str) -> None:
    with pytest.raises(ArtefactError, match=rf"The weights file odd\.pt was refused: .*{reason}"):
        read_script(archive(parts), "odd.pt")


def test_modules_that_contain_each_other_are_refused() -> None:
    outer = module()
    outer.__dict__["inner"] = module(outer=outer)
    twice = module(weight=TENSORS[0])
    deep = module()
    for _ in range(40):
        deep = module(inner=deep)
    for root in (outer, module(a=twice, b=twice), deep):
        with pytest.raises(ArtefactError, match="contain each other"):
            read_script(archive(script_parts(root, TENSORS)), "odd.pt")


def test_a_compressed_storage_is_refused() -> None:
    with pytest.raises(ArtefactError, match=r"storage of 'inner\.weight'"):
        read_script(archive(good(), compression=zipfile.ZIP_DEFLATED), "odd.pt")


def test_an_unusual_compression_is_refused() -> None:
    with pytest.raises(ArtefactError, match="compressed in an unusual way"):
        read_script(archive(good(), compression=zipfile.ZIP_BZIP2), "odd.pt")


def test_a_name_that_is_not_text_is_refused() -> None:
    at = archive(good()).index(b"net/data/1")
    data = bytearray(archive(good()))
    data[at + 3] = 0x97
    # The directory at the end still names it rightly; only the member's own header is damaged.
    data[at - 30 + 7] |= 0x08
    with pytest.raises(ArtefactError, match="was refused"):
        read_script(bytes(data), "odd.pt")


@pytest.mark.parametrize("data", [b"x" + archive(good()), archive(good()) + b"x", archive(good()) + archive(good())])
def test_bytes_around_the_archive_are_refused(data: bytes) -> None:
    with pytest.raises(ArtefactError, match="before or after"):
        read_script(data, "odd.pt")


class Command:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("path", ["net/data.pkl", "net/constants.pkl"])
def test_a_command_is_refused_and_not_run(path: str, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"evil\.pt was refused: the pickle names 'posix system'"):
        read_script(archive(changed(path, dumps(Command(tmp_path / "ran")))), "evil.pt")
    assert not (tmp_path / "ran").exists()


def test_a_module_class_outside_the_table_is_refused() -> None:
    pickled = b"\x80\x02c__torch__.inceptionv3\nConv9dLayer\n)\x81}b."
    with pytest.raises(ArtefactError, match=r"names '__torch__\.inceptionv3 Conv9dLayer'"):
        read_script(archive(changed("net/data.pkl", pickled)), "odd.pt")


def test_an_object_built_with_arguments_is_refused() -> None:
    pickled = b"\x80\x02c__torch__.inceptionv3\nConv2dLayer\nK\x01\x85\x81}b."
    with pytest.raises(ArtefactError, match="makes an object"):
        read_script(archive(changed("net/data.pkl", pickled)), "odd.pt")


@pytest.mark.parametrize(("items", "accepted"), [(b"K\x01K\x02", True), (b"K\x01N", False)])
def test_lists_of_integers_alone_are_read(items: bytes, accepted: bool) -> None:
    whole = dumps(module(inner=module(weight=TENSORS[0], beta=TENSORS[1]), padding=7))
    listed = b"ctorch.jit._pickle\nbuild_intlist\n](" + items + b"e\x85R"
    data = archive(changed("net/data.pkl", whole.replace(b"K\x07", listed)))
    if accepted:
        assert list(read_script(data, "small.pt")) == ["inner.weight", "inner.beta"]
    else:
        with pytest.raises(ArtefactError, match="a list of other than integers"):
            read_script(data, "small.pt")


def test_a_storage_of_another_kind_is_refused() -> None:
    pickled = dumps(StorageId("0", 12)).replace(b"cpu", b"gpu")
    with pytest.raises(ArtefactError, match="a storage without a size"):
        read_script(archive(changed("net/data.pkl", pickled)), "odd.pt")


def test_every_shorter_file_is_refused() -> None:
    data = archive(good())
    for length in range(len(data)):
        with pytest.raises(ArtefactError):
            read_script(data[:length], "short.pt")


def test_a_damaged_file_never_ends_in_another_kind_of_error() -> None:
    data, dice = archive(good()), random.Random(6)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(data)
        for _ in range(dice.randint(1, 3)):
            damaged[dice.randrange(len(data))] = dice.randrange(256)
        try:
            arrays = read_script(bytes(damaged), "damaged.pt")
        except ArtefactError:
            refused += 1
        else:
            assert all(np.isfinite(array).all() for array in arrays.values())
    assert refused > 1000
