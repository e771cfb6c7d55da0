"""Files of tensors as PyTorch writes them, put together opcode by opcode, and faulty ones."""

import io
import struct
import zipfile

import numpy as np

MARK, TUPLE, REDUCE, SETITEMS, STOP = b"(", b"t", b"R", b"u", b"."
PROTOCOL = b"\x80\x02"
DICTIONARY = b"ccollections\nOrderedDict\n)R"
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
FLOATS = b"ctorch\nFloatStorage\n"


def text(value):
    """BINUNICODE."""
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def whole(value):
    """BININT1, BININT2 or BININT, whichever takes the number."""
    if 0 <= value < 2**8:
        return b"K" + struct.pack("<B", value)
    if 0 <= value < 2**16:
        return b"M" + struct.pack("<H", value)
    return b"J" + struct.pack("<i", value)


def some(*values):
    """A tuple of what is pickled already."""
    return MARK + b"".join(values) + TUPLE


def storage(key="0", count=6, kind=FLOATS, tag="storage"):
    """A storage, by its persistent identity."""
    return some(text(tag), kind, text(key), text("cpu"), whole(count)) + b"Q"


def tensor(shape, strides, *, offset=0, of=None, hooks=DICTIONARY):
    """A part of a storage."""
    parts = (some(*map(whole, shape)), some(*map(whole, strides)))
    return TENSOR + some(of or storage(), whole(offset), *parts, b"\x89", hooks) + REDUCE


def described(**values):
    """The pickle of a dictionary."""
    items = b"".join(text(name) + value for name, value in values.items())
    return PROTOCOL + DICTIONARY + MARK + items + SETITEMS + STOP


def archive(pickled, *, storages=None, compression=zipfile.ZIP_STORED, **others):
    """The file: a pickle, storages by key, and other entries of its folder."""
    stored = {"0": np.arange(6, dtype="<f4").tobytes()} if storages is None else storages
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as written:
        written.writestr("net/data.pkl", pickled)
        for name, content in {**{f"data/{key}": value for key, value in stored.items()}, **others}.items():
            written.writestr(f"net/{name}", content)
    return file.getvalue()


def file_of(arrays):
    """The file of float32 arrays by name."""
    storages, values = {}, {}
    for number, (name, array) in enumerate(arrays.items()):
        storages[key := str(number)] = np.asarray(array, "<f4").tobytes()
        strides = np.cumprod([1, *array.shape[:0:-1]])[::-1].tolist()
        values[name] = tensor(array.shape, strides, of=storage(key, array.size))
    return archive(described(**values), storages=storages, version=b"3\n", byteorder=b"little")
