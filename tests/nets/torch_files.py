"""Writes small files in the two torch formats, with CPython's own pickler and without torch."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


class FloatStorage:
    """Stands in for torch.FloatStorage while a file is written."""


def _rebuild_tensor_v2(*_: object) -> None:
    """Stands in for the function of that name while a file is written."""


class Conv2dLayer:
    """Stands in for a module class while a file is written."""


FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
_rebuild_tensor_v2.__module__ = "torch._utils"
Conv2dLayer.__module__ = "__torch__.inceptionv3"


@dataclass(frozen=True)
class StorageId:
    key: str
    count: int


@dataclass
class Tensor:
    """A tensor to write; each part can be made to lie."""

    values: np.ndarray
    key: str
    count: int | None = None
    offset: Any = 0
    shape: Any = None
    strides: Any = None
    hooks: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        shape = self.values.shape if self.shape is None else self.shape
        strides = tuple(n // self.values.itemsize for n in self.values.strides) if self.strides is None else self.strides
        storage = StorageId(self.key, self.values.size if self.count is None else self.count)
        return _rebuild_tensor_v2, (storage, self.offset, shape, strides, False, self.hooks)


class _Pickler(pickle._Pickler):  # the Python one: it lets persistent_id stand anywhere
    def persistent_id(self, value: object) -> object:
        return ("storage", FloatStorage, value.key, "cpu", value.count) if isinstance(value, StorageId) else None


@contextmanager
def _torch_names() -> Iterator[None]:
    """Give the pickler modules in which it finds what it is told to name."""
    named = {"torch": FloatStorage, "torch._utils": _rebuild_tensor_v2, "__torch__": Conv2dLayer, "__torch__.inceptionv3": Conv2dLayer}
    before = {name: sys.modules.get(name) for name in named}
    for name, member in named.items():
        stand_in = types.ModuleType(name)
        setattr(stand_in, member.__name__, member)
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for name, original in before.items():
            if original is None:
                del sys.modules[name]
            else:
                sys.modules[name] = original


def dumps(value: object, protocol: int = 2) -> bytes:
    with _torch_names():
        stream = io.BytesIO()
        _Pickler(stream, protocol).dump(value)
        return stream.getvalue()


def raw(values: np.ndarray) -> bytes:
    return values.astype("<f4").tobytes()


def legacy(
    state: Any, *, keys: list[str] | None = None, system: Any = SYSTEM, magic: int = MAGIC, counts: dict[str, int] | None = None
) -> bytes:
    """Return an old torch file. ``state`` maps names to Tensor, or is anything else to be refused."""
    tensors = [value for value in state.values() if isinstance(value, Tensor)] if isinstance(state, dict) else []
    parts = [dumps(magic), dumps(1001), dumps(system), dumps(state), dumps([tensor.key for tensor in tensors] if keys is None else keys)]
    for tensor in tensors:
        parts += [struct.pack("<q", (counts or {}).get(tensor.key, tensor.values.size)), raw(tensor.values)]
    return b"".join(parts)


def module(**attributes: object) -> Conv2dLayer:
    made = Conv2dLayer()
    made.__dict__.update(attributes)
    return made


def script_parts(root: object, tensors: list[Tensor]) -> list[tuple[str, bytes]]:
    """Return an archive's members, by path, for a test to change before ``archive``."""
    storages = [(f"net/data/{tensor.key}", raw(tensor.values)) for tensor in tensors]
    return [*storages, ("net/constants.pkl", dumps(())), ("net/data.pkl", dumps(root)), ("net/version", b"3\n"), ("net/code/net.py", b"x")]


def archive(parts: list[tuple[str, bytes]], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as made:
        for path, data in parts:
            made.writestr(zipfile.ZipInfo(path), data, compress_type=compression)
    return stream.getvalue()


def ordered(**tensors: Tensor) -> OrderedDict[str, Tensor]:
    """Return a state dict as torch makes it, with its note of versions."""
    state = OrderedDict(tensors)
    state._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]
    return state
