"""A dictionary of plain tensors, read off the opcodes of a pickle; nothing that the pickle asks for is run.

Unpickling calls whatever a file names. Here opcodes are followed one by one, and only those that
``torch.save`` writes for such a dictionary: names, storages, offsets, shapes and strides.
"""

import pickletools
from typing import Any, NamedTuple

_DICTIONARY = "collections OrderedDict"
_TENSOR = "torch._utils _rebuild_tensor_v2"
_STORAGE = "torch FloatStorage"
_SHOWN = 60
"""Characters of a name out of a file that a message shows."""


class Storage(NamedTuple):
    """Numbers that lie in the archive under a key."""

    key: str
    numbers: int


class Tensor(NamedTuple):
    """A contiguous part of a storage; the offset is in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]


class _Named(NamedTuple):
    """What a pickle would import: a module and a name in it, as text."""

    name: str


def tensors_of(pickled: bytes) -> dict[str, Tensor]:
    """Read off which part of which storage each name stands for.

    Raises:
        ValueError: it is anything else, with the reason.
        IndexError, KeyError, TypeError: it is damaged.
    """
    result = _followed(pickled)
    if not isinstance(result, dict) or not result:
        raise ValueError("holds no dictionary of tensors")
    for name, value in result.items():
        if not isinstance(value, Tensor):
            raise ValueError(f"holds {name[:_SHOWN]!r}, which is no tensor")
    return result


def _followed(pickled: bytes) -> Any:
    """Follow a pickle's opcodes to what it describes."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[Any, Any] = {}

    def since_mark() -> list[Any]:
        mark = marks.pop()
        items = stack[mark:]
        del stack[mark:]
        return items

    for opcode, argument, _ in pickletools.genops(pickled):
        match opcode.name:
            case "PROTO":
                if argument != 2:
                    raise ValueError(f"has a pickle of protocol {argument}, not of protocol 2")
            case "MARK":
                marks.append(len(stack))
            case "BINUNICODE" | "BININT" | "BININT1" | "BININT2" | "LONG1":
                stack.append(argument)
            case "NEWFALSE" | "NEWTRUE":
                stack.append(opcode.name == "NEWTRUE")
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(reversed([stack.pop() for _ in range(int(opcode.name[-1]))])))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_named(str(argument)))
            case "BINPERSID":
                stack.append(_storage(stack.pop()))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(_called(stack.pop(), arguments))
            case "SETITEM":
                value, name = stack.pop(), stack.pop()
                _set(stack[-1], [name, value])
            case "SETITEMS":
                items = since_mark()
                _set(stack[-1], items)
            case "BUILD":
                # versions of a module's parts, which a dictionary of theirs has for an attribute
                if not isinstance(state := stack.pop(), dict) or state.keys() - {"_metadata"}:
                    raise ValueError("sets attributes")
            case "STOP":
                if len(stack) != 1:
                    raise ValueError("holds more or less than one thing")
                return stack[0]
            case other:
                raise ValueError(f"has the opcode {other}, which no dictionary of tensors needs")


def _named(name: str) -> _Named:
    if name not in (_DICTIONARY, _TENSOR, _STORAGE):
        raise ValueError(f"asks for {name[:_SHOWN]!r}, which no dictionary of float32 tensors needs")
    return _Named(name)


def _storage(identity: Any) -> Storage:
    # where the storage lay when it was saved, a processor or a GPU, does not matter
    match identity:
        case ("storage", _Named(name), str(key), str(), int(numbers)) if name == _STORAGE:
            return Storage(key, numbers)
    raise ValueError("has a storage of an unknown form")


def _called(function: Any, arguments: Any) -> Any:
    match (function, arguments):
        case (_Named(name), ()) if name == _DICTIONARY:
            return {}
        case (
            _Named(name),
            (Storage() as storage, int(offset), tuple(shape), tuple(strides), bool(), dict(hooks)),
        ) if name == _TENSOR and not hooks:
            return _tensor(storage, offset, shape, strides)
    raise ValueError("calls a function in an unknown form")


def _tensor(storage: Storage, offset: int, shape: tuple[Any, ...], strides: tuple[Any, ...]) -> Tensor:
    if len(shape) != len(strides):
        raise ValueError("has a tensor of no possible shape")
    numbers = 1
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if not (isinstance(length, int) and isinstance(stride, int) and length > 0):
            raise ValueError("has a tensor of no possible shape")
        if length > 1 and stride != numbers:
            raise ValueError("has a tensor that is not contiguous")
        numbers *= length
    if not 0 <= offset <= storage.numbers - numbers:
        raise ValueError("has a tensor that reaches beyond its storage")
    return Tensor(storage, offset, shape)


def _set(target: Any, items: list[Any]) -> None:
    names, values = items[::2], items[1::2]
    named = len(names) == len(values) and all(isinstance(name, str) for name in names)
    if not isinstance(target, dict) or not named:
        raise ValueError("holds no dictionary of names")
    target.update(zip(names, values, strict=True))
