"""Reads the tensors of a TorchScript archive: a zip of pickles, raw storages and code.

The code is never looked at; the pickles are read as data.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np

from app.core.errors import ArtefactError
from workers.nets.pickle_data import Module, Refused, Role, TensorRecord, read_pickle
from workers.nets.raw_floats import floats

_LARGEST_PICKLE = 1_000_000
_DEEPEST = 32
# What zipfile raises over a damaged archive, besides its own error.
_DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, RuntimeError)
_END_RECORD = b"PK\x05\x06"
_CONTAINERS = "__torch__.torch.nn.modules.container"
_POOLING = "__torch__.torch.nn.modules.pooling"
_INCEPTION = "__torch__.inceptionv3"
_MODULES = (
    "__torch__.wrap_net WrapNet",
    f"{_INCEPTION} InceptionV3",
    f"{_INCEPTION} Conv2dLayer",
    f"{_INCEPTION}.___torch_mangle_2 Conv2dLayer",
    f"{_INCEPTION} InceptionA",
    f"{_INCEPTION} InceptionB",
    f"{_INCEPTION} InceptionC",
    f"{_INCEPTION} InceptionD",
    f"{_INCEPTION} InceptionE",
    f"{_INCEPTION}.___torch_mangle_7 InceptionE",
    f"{_CONTAINERS} Sequential",
    *(f"{_CONTAINERS}.___torch_mangle_{n} Sequential" for n in (0, 1, 3, 4, 5, 9)),
    f"{_POOLING} AvgPool2d",
    f"{_POOLING}.___torch_mangle_8 AvgPool2d",
    f"{_POOLING} MaxPool2d",
    f"{_POOLING}.___torch_mangle_6 MaxPool2d",
)
_ALLOWED: dict[str, Role] = {
    "collections OrderedDict": "mapping",
    "torch FloatStorage": "storage",
    "torch._utils _rebuild_tensor_v2": "tensor",
    "torch.jit._pickle build_intlist": "integers",
    **dict.fromkeys(_MODULES, "module"),
}


def read_script(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Return the tensors of a TorchScript archive of InceptionV3, running nothing of it.

    Args:
        data: the whole file.
        name: what to call the file in errors.

    Returns:
        Dotted attribute path to finite, read-only float32 array, in the file's shapes.

    Raises:
        ArtefactError: the file is anything else, or damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive, data)
    except _DAMAGED as error:
        raise ArtefactError(f"The weights file {name} was refused: {error}.") from error


def _read(archive: zipfile.ZipFile, data: bytes) -> dict[str, np.ndarray]:
    members = _members(archive, data)
    constants, _ = _pickle(archive, members, "constants.pkl")
    if constants != ():
        raise Refused("it holds constants")
    root, _ = _pickle(archive, members, "data.pkl")
    if not isinstance(root, Module):
        raise Refused("it holds no module")

    stored = {path for path in members if path.startswith("data/")}
    arrays = {}
    for tensor_name, tensor in _tensors(root):
        path = f"data/{tensor.storage.key}"
        if path not in stored:
            raise Refused(f"the storage of {tensor_name!r} is missing or shared")
        stored.remove(path)
        member = members[path]
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != 4 * tensor.storage.count:
            raise Refused(f"the storage of {tensor_name!r} has {member.file_size} bytes for shape {tensor.shape}")
        arrays[tensor_name] = floats(archive.read(member), tensor.shape, tensor_name)
    if stored:
        raise Refused(f"{len(stored)} storages belong to no tensor")
    return arrays


def _members(archive: zipfile.ZipFile, data: bytes) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's members by their path under its one top folder."""
    entries = archive.infolist()
    if data[-22:-18] != _END_RECORD or not entries or min(entry.header_offset for entry in entries) != 0:
        raise Refused("bytes stand before or after the archive")
    root = entries[0].filename.split("/", 1)[0]
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        top, _, path = entry.filename.partition("/")
        parts = path.split("/")
        if top != root or any(part in ("", ".", "..") for part in parts) or "\\" in path:
            raise Refused(f"it holds a member called {entry.filename!r}")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(f"{entry.filename!r} is compressed in an unusual way")
        if path in members:
            raise Refused(f"it holds {entry.filename!r} twice")
        members[path] = entry
    return members


def _pickle(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], path: str) -> tuple[object, int]:
    if path not in members or members[path].file_size > _LARGEST_PICKLE:
        raise Refused(f"{path} is missing or too large")
    data = archive.read(members[path])
    value, end = read_pickle(data, 0, _ALLOWED)
    if end != len(data):
        raise Refused(f"{len(data) - end} bytes follow {path}")
    return value, end


def _tensors(root: Module) -> Iterator[tuple[str, TensorRecord]]:
    """Yield the tensors under ``root``, depth first, in the order they were given."""
    seen: set[int] = set()

    def walk(module: Module, prefix: str, depth: int) -> Iterator[tuple[str, TensorRecord]]:
        # A module met twice would let a small file describe an endless tree.
        if id(module) in seen or depth > _DEEPEST:
            raise Refused("its modules contain each other")
        seen.add(id(module))
        for name, value in module.attributes.items():
            if isinstance(value, TensorRecord):
                yield prefix + name, value
            elif isinstance(value, Module):
                yield from walk(value, f"{prefix}{name}.", depth + 1)

    return walk(root, "", 0)
