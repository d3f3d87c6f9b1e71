"""Reads a pickle as data: a small stack machine that builds records and calls nothing.

Not a subclass of ``pickle.Unpickler``: REDUCE, NEWOBJ and BUILD there run what a file
names. Here a file may name only what ``allowed`` lists, and each name stands for one
inert record. An opcode that the two torch formats do not need is refused before the
first one is carried out.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

Role = Literal["mapping", "tensor", "integers", "storage", "module"]

_LITERALS = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"})
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()


class Refused(ValueError):
    """The bytes are not what a weights file holds; the reason in a few words."""


@dataclass(frozen=True, slots=True)
class Named:
    """A (module, name) pair out of the table, standing for itself."""

    role: Role
    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of float32 numbers kept outside the pickle."""

    key: str
    count: int


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """How a tensor lies in its storage."""

    storage: Storage
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """An object with attributes and no behaviour."""

    name: str
    attributes: dict[str, Any]


def read_pickle(data: bytes, start: int, allowed: Mapping[str, Role]) -> tuple[Any, int]:
    """Return the value pickled at ``data[start:]`` and the offset just after it.

    Args:
        data: the whole file.
        start: offset of the pickle's first byte.
        allowed: what the pickle may name, as ``"module name"``, and what each stands for.

    Raises:
        Refused: any other opcode or name, or a pickle that is damaged.
    """
    stream = BytesIO(data)
    stream.seek(start)
    try:
        steps = [(opcode.name, argument) for opcode, argument, _ in pickletools.genops(stream)]
    except ValueError as error:
        raise Refused(f"the pickle is damaged ({error})") from error
    for name, argument in steps:
        if name not in _OPCODES:
            raise Refused(f"the pickle holds the instruction {name}")
        if name == "GLOBAL" and argument not in allowed:
            raise Refused(f"the pickle names {argument!r}")
    try:
        return _build(steps, allowed), stream.tell()
    except (IndexError, KeyError) as error:
        raise Refused("the pickle's instructions do not fit together") from error


def _build(steps: list[tuple[str, Any]], allowed: Mapping[str, Role]) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for name, argument in steps:
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            items = [_pop(stack) for _ in range(_TUPLES[name])]
            stack.append(tuple(reversed(items)))
        elif name in _CHANGES:
            _CHANGES[name](stack)
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = _peek(stack)
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "GLOBAL":
            stack.append(Named(allowed[argument], argument))
        elif name == "PROTO":
            _require(argument == 2, f"pickle protocol {argument}")
    # The opcode check ends at the one STOP, so a whole pickle leaves its value alone here.
    value = _pop(stack)
    _require(not stack, "values left over in the pickle")
    return value


def _append(stack: list[Any]) -> None:
    item = _pop(stack)
    _of_type(list, _peek(stack)).append(item)


def _appends(stack: list[Any]) -> None:
    items = _since_mark(stack)
    _of_type(list, _peek(stack)).extend(items)


def _set_item(stack: list[Any]) -> None:
    value, key = _pop(stack), _pop(stack)
    _put(_of_type(dict, _peek(stack)), key, value)


def _set_items(stack: list[Any]) -> None:
    items = _since_mark(stack)
    target = _of_type(dict, _peek(stack))
    _require(len(items) % 2 == 0, "a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        _put(target, key, value)


def _put(target: dict[str, Any], key: Any, value: Any) -> None:
    _require(type(key) is str, "a key that is not text")
    _require(key not in target, f"the name {key!r} twice")
    target[key] = value


def _reduce(stack: list[Any]) -> None:
    arguments, named = _of_type(tuple, _pop(stack)), _of_type(Named, _pop(stack))
    build = _BUILDERS.get(named.role)
    if build is None:
        raise Refused(f"the pickle calls {named.name!r}")
    stack.append(build(arguments))


def _new_object(stack: list[Any]) -> None:
    arguments, named = _pop(stack), _of_type(Named, _pop(stack))
    _require(named.role == "module" and arguments == (), f"the pickle makes an object of {named.name!r}")
    stack.append(Module(named.name, {}))


def _set_state(stack: list[Any]) -> None:
    state, target = _of_type(dict, _pop(stack)), _peek(stack)
    # An OrderedDict's state is torch's version note on each layer: nothing to keep.
    if type(target) is dict:
        return
    attributes = _of_type(Module, target).attributes
    _require(not attributes, "an object given its state twice")
    attributes.update(state)


def _storage(stack: list[Any]) -> None:
    identity = _of_type(tuple, _pop(stack))
    _require(len(identity) in (5, 6) and identity[5:] in ((), (None,)), "an unknown kind of storage")
    kind, named, key, location, count = identity[:5]
    _require(kind == "storage" and isinstance(named, Named) and named.role == "storage", "an unknown kind of storage")
    _require(type(key) is str and location == "cpu" and type(count) is int and count > 0, "a storage without a size")
    stack.append(Storage(key, count))


def _tensor(arguments: tuple[Any, ...]) -> TensorRecord:
    _require(len(arguments) == 6, "a tensor with other than six parts")
    storage, offset, shape, strides, gradient, hooks = arguments
    _of_type(Storage, storage)
    for sizes in (_of_type(tuple, shape), _of_type(tuple, strides)):
        _require(len(sizes) <= 4 and all(type(n) is int and n > 0 for n in sizes), "a tensor's shape or strides")
    _require(not gradient and not hooks, "a tensor with hooks")
    count, expected = 1, []
    for n in reversed(shape):
        expected.append(count)
        count *= n
    _require(strides == tuple(reversed(expected)), f"a tensor that is not contiguous, strides {strides} for shape {shape}")
    _require(type(offset) is int and offset == 0 and storage.count == count, f"a storage of {storage.count} numbers for shape {shape}")
    return TensorRecord(storage, shape)


def _mapping(arguments: tuple[Any, ...]) -> dict[str, Any]:
    _require(arguments == (), "a mapping with contents")
    return {}


def _integers(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    _require(len(arguments) == 1 and all(type(n) is int for n in _of_type(list, arguments[0])), "a list of other than integers")
    return tuple(arguments[0])


_CHANGES: dict[str, Callable[[list[Any]], None]] = {
    "MARK": lambda stack: stack.append(_MARK),
    "EMPTY_LIST": lambda stack: stack.append([]),
    "EMPTY_DICT": lambda stack: stack.append({}),
    "TUPLE": lambda stack: stack.append(tuple(_since_mark(stack))),
    "APPEND": _append,
    "APPENDS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "REDUCE": _reduce,
    "NEWOBJ": _new_object,
    "BUILD": _set_state,
    "BINPERSID": _storage,
}
_OTHERS = {"PROTO", "STOP", "GLOBAL", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"}
_OPCODES = _LITERALS | _CONSTANTS.keys() | _TUPLES.keys() | _CHANGES.keys() | _OTHERS
_BUILDERS: dict[Role, Callable[[tuple[Any, ...]], Any]] = {"mapping": _mapping, "tensor": _tensor, "integers": _integers}


def _peek(stack: list[Any]) -> Any:
    _require(stack[-1] is not _MARK, "a mark where a value belongs")
    return stack[-1]


def _pop(stack: list[Any]) -> Any:
    _peek(stack)
    return stack.pop()


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _of_type(kind: type, value: Any) -> Any:
    _require(type(value) is kind, f"a {type(value).__name__} where a {kind.__name__} belongs")
    return value


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Refused(otherwise)
