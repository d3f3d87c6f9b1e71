"""Reads the old torch format: five pickles, then each storage as a count and raw float32.

The pickles are a magic number, a protocol version, notes on the system that wrote the
file, the state dict, and the order of the storages.
"""

from __future__ import annotations

import struct

import numpy as np

from app.core.errors import ArtefactError
from workers.nets.pickle_data import Refused, Role, Storage, TensorRecord, read_pickle
from workers.nets.raw_floats import floats

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_ALLOWED: dict[str, Role] = {
    "collections OrderedDict": "mapping",
    "torch FloatStorage": "storage",
    "torch._utils _rebuild_tensor_v2": "tensor",
}


def read_legacy(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Return the tensors of an old torch state dict, running nothing of it.

    Args:
        data: the whole file.
        name: what to call the file in errors.

    Returns:
        Tensor name to finite, read-only float32 array, in the file's shapes.

    Raises:
        ArtefactError: the file is anything else, or damaged.
    """
    try:
        return _read(data)
    except Refused as error:
        raise ArtefactError(f"The weights file {name} was refused: {error}.") from error


def _read(data: bytes) -> dict[str, np.ndarray]:
    magic, at = read_pickle(data, 0, {})
    protocol, at = read_pickle(data, at, {})
    if magic != _MAGIC or protocol != _PROTOCOL:
        raise Refused("it is not in the old torch format")
    system, at = read_pickle(data, at, {})
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise Refused("it was written on another kind of machine")
    state, at = read_pickle(data, at, _ALLOWED)
    keys, at = read_pickle(data, at, {})

    tensors = _by_storage(state)
    if not isinstance(keys, list) or [type(key) for key in keys] != [str] * len(tensors) or set(keys) != set(tensors):
        raise Refused("its list of storages does not match its tensors")
    arrays = {}
    for key in keys:
        tensor_name, tensor = tensors[key]
        arrays[tensor_name] = floats(_storage(data, at, tensor.storage), tensor.shape, tensor_name)
        at += 8 + 4 * tensor.storage.count
    if at != len(data):
        raise Refused(f"{len(data) - at} bytes follow its last storage")
    return {tensor_name: arrays[tensor_name] for tensor_name in state}


def _by_storage(state: object) -> dict[str, tuple[str, TensorRecord]]:
    if not isinstance(state, dict) or not state:
        raise Refused("it holds no state dict")
    tensors: dict[str, tuple[str, TensorRecord]] = {}
    for name, value in state.items():
        if not isinstance(value, TensorRecord):
            raise Refused(f"{name!r} is not a tensor")
        if value.storage.key in tensors:
            raise Refused(f"{name!r} shares its storage")
        tensors[value.storage.key] = (name, value)
    return tensors


def _storage(data: bytes, at: int, storage: Storage) -> memoryview:
    if at + 8 > len(data):
        raise Refused("it ends before its last storage")
    (count,) = struct.unpack_from("<q", data, at)
    if count != storage.count:
        raise Refused(f"a storage of {count} numbers stands where {storage.count} belong")
    return memoryview(data)[at + 8 : at + 8 + 4 * count]
