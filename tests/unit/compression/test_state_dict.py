"""Parameters out of files of PyTorch, written by hand: what is read, and what is refused."""

import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import state_dict_writer as writer
from tests.line_networks import random_arrays

from spatial_prediction.compression.linerwkv import (
    LARGEST_FILE,
    PUBLISHED,
    SIZES,
    LineRWKV,
    parameters_digest,
    parsed_state_dict,
    read_state_dict,
)
from spatial_prediction.errors import CheckpointError
from spatial_prediction.studies.compression.config import PUBLISHED_SIZES

MATRIX = writer.tensor((2, 3), (3, 1))
SOUND = writer.archive(writer.described(a=MATRIX))


def test_networks_come_back(tmp_path):
    arrays = {name: np.asarray(array, np.float32) for name, array in random_arrays().items()}
    path = tmp_path / "rwkv-final.pth"
    path.write_bytes(writer.file_of(arrays))
    read = read_state_dict(path)
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], array)
    assert LineRWKV.from_named_arrays(read).to_named_arrays().keys() == arrays.keys()


def test_names_may_share_a_storage_and_memo_and_have_versions():
    shared = writer.storage() + b"q\x07"  # BINPUT
    again = b"h\x07"  # BINGET
    pickled = writer.described(
        matrix=writer.tensor((2, 2), (2, 1), offset=2, of=shared),
        one=writer.tensor((), (), offset=5, of=again),
        column=writer.tensor((6, 1), (1, 99), of=again),
    )
    versions = b"}" + writer.text("_metadata") + writer.DICTIONARY + b"sb"  # SETITEM, BUILD
    read = parsed_state_dict(writer.archive(pickled[:-1] + versions + writer.STOP), "net")
    np.testing.assert_array_equal(read["matrix"], [[2, 3], [4, 5]])
    assert read["one"] == 5
    np.testing.assert_array_equal(read["column"][:, 0], np.arange(6))


def pickled(value):
    return writer.archive(writer.described(a=value))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a zip file"),
        (b"\x80\x02" + b"x" * 100, "not a zip file"),
        (SOUND[:-30], "not a zip file"),
        (SOUND.replace(writer.text("a"), writer.text("b"), 1), "Bad CRC-32"),
        (writer.archive(writer.described(a=MATRIX), compression=zipfile.ZIP_DEFLATED), "is compressed"),
        (writer.archive(writer.described(a=MATRIX), byteorder=b"big"), "big-endian"),
        (writer.archive(writer.described(a=MATRIX), **{"x/data.pkl": b""}), "no description of tensors"),
        (writer.archive(b"K" * (2**20 + 1)), "no description of tensors"),
        (writer.archive(writer.described(a=MATRIX), storages={"1": bytes(24)}), "is damaged"),
        (writer.archive(writer.described(a=MATRIX), storages={"0": bytes(20)}), "storage of 20 bytes"),
        (writer.archive(writer.described(a=MATRIX), storages={"0": bytes(28)}), "storage of 28 bytes"),
        (writer.archive(writer.described(a=MATRIX)[:-1]), "pickle exhausted"),
        (writer.archive(writer.described(a=MATRIX)[:40]), "."),
        (writer.archive(b"\x80\x04N."), "protocol 4"),
        (writer.archive(b"\x80\x02N."), "opcode NONE"),
        (writer.archive(b"\x80\x02cposix\nsystem\n" + writer.text("true") + b"\x85R."), "'posix system'"),
        (writer.archive(b"\x80\x02(ios\nsystem\n."), "opcode INST"),
        (writer.archive(writer.PROTOCOL + b"cbuiltins\n" + b"e" * 999 + b"\n."), "'builtins e{51}'"),
        (writer.archive(writer.PROTOCOL + b")."), "no dictionary of tensors"),
        (writer.archive(writer.PROTOCOL + writer.DICTIONARY + b"."), "no dictionary of tensors"),
        (writer.archive(writer.PROTOCOL + b")))."), "more or less than one"),
        (writer.archive(b"\x80\x02t."), "is damaged"),
        (writer.archive(b"\x80\x02h\x03."), "is damaged"),
        (writer.archive(b"\x80\x02R."), "is damaged"),
        (writer.archive(writer.PROTOCOL + b"})K\x01s."), "no dictionary of names"),
        (writer.archive(writer.PROTOCOL + b"}(K\x01u."), "no dictionary of names"),
        (writer.archive(writer.PROTOCOL + b"})b."), "sets attributes"),
        (writer.archive(writer.PROTOCOL + b"}}" + writer.text("x") + b")sb."), "sets attributes"),
        (writer.archive(writer.PROTOCOL + b"}q\x00" + writer.text("x") + b"h\x00s."), "'x', which is no"),
        (pickled(writer.whole(3)), "'a', which is no tensor"),
        (pickled(b"ctorch\nHalfStorage\n"), "'torch HalfStorage'"),
        (pickled(b"ctorch._utils\n_rebuild_parameter\n"), "'torch._utils _rebuild_parameter'"),
        (pickled(writer.TENSOR + b")R"), "function in an unknown form"),
        (pickled(writer.FLOATS + b")R"), "function in an unknown form"),
        (pickled(writer.tensor((2,), (1,), of=writer.storage(tag="module"))), "storage of an unknown form"),
        (pickled(writer.tensor((2,), (1,), of=writer.storage(kind=writer.TENSOR))), "of an unknown form"),
        (pickled(writer.tensor((2,), (1,), of=writer.text("0"))), "function in an unknown form"),
        (pickled(writer.tensor((2,), (1,), hooks=b"}" + writer.text("x") + b")s")), "unknown form"),
        (pickled(writer.tensor((2, 3), (1, 2))), "not contiguous"),
        (pickled(writer.tensor((2, 3), (0, 1))), "not contiguous"),
        (pickled(writer.tensor((3, 2), (6, 1))), "not contiguous"),
        (pickled(writer.tensor((7,), (1,))), "beyond its storage"),
        (pickled(writer.tensor((2, 3), (3, 1), offset=1)), "beyond its storage"),
        (pickled(writer.tensor((2,), (1,), offset=-1)), "beyond its storage"),
        (pickled(writer.tensor((2**30, 2**30), (2**30, 1))), "beyond its storage"),
        (pickled(writer.tensor((2,), (1,), of=writer.storage(count=-1))), "beyond its storage"),
        (pickled(writer.tensor((2, 3), (1,))), "no possible shape"),
        (pickled(writer.tensor((0, 3), (3, 1))), "no possible shape"),
        (pickled(writer.tensor((-2, 3), (3, 1))), "no possible shape"),
        (bytes(LARGEST_FILE + 1), "is larger than 16777216 bytes"),
    ],
)
def test_anything_else_is_refused_with_its_reason(content, said):
    with pytest.raises(CheckpointError, match=rf"^net\.pth: .*{said}"):
        parsed_state_dict(content, "net.pth")


def test_entries_that_stand_for_more_than_the_file_are_refused():
    with pytest.raises(CheckpointError, match="holds more than"):
        parsed_state_dict(larger_by_its_directory(SOUND), "net.pth")


def larger_by_its_directory(content):
    """Let the directory say of the last entry that it is stored and of 32 MiB."""
    changed = bytearray(content)
    entry = changed.rindex(b"PK\x01\x02")
    changed[entry + 20 : entry + 28] = 2 * (2**25).to_bytes(4, "little")
    return bytes(changed)


@pytest.mark.parametrize("path", ["nothing.pth", "."])
def test_files_that_cannot_be_read_are_named(tmp_path, path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_state_dict(tmp_path / path)


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_no_changed_byte_does_harm(position, change):
    changed = bytearray(SOUND)
    changed[position] ^= change
    try:
        read = parsed_state_dict(bytes(changed), "net.pth")
    except CheckpointError:
        return
    np.testing.assert_array_equal(next(iter(read.values())), np.arange(6).reshape(2, 3))


@given(st.binary(max_size=60))
def test_no_pickle_does_harm(pickled):
    with pytest.raises(CheckpointError, match=r"^net\.pth: "):
        parsed_state_dict(writer.archive(writer.PROTOCOL + pickled), "net.pth")


def test_the_digest_is_of_names_shapes_and_numbers():
    arrays = {"a": np.arange(6, dtype=np.float32), "b": np.ones(2, np.float32)}
    digest = parameters_digest(arrays)
    assert digest == parameters_digest(dict(reversed(arrays.items())))
    others = (
        arrays | {"a": arrays["a"].reshape(2, 3)},
        arrays | {"b": np.nextafter(arrays["b"], np.float32(2))},
        {"a": arrays["a"], "c": arrays["b"]},
        {"a": arrays["a"]},
    )
    assert len({digest, *map(parameters_digest, others)}) == 5


def test_published_networks_have_an_address_and_are_known_again():
    assert tuple(PUBLISHED) == PUBLISHED_SIZES
    assert PUBLISHED.keys() <= SIZES.keys()
    for size, published in PUBLISHED.items():
        assert published.address.startswith(
            "https://raw.githubusercontent.com/diegovalsesia/linerwkv/7e459411"
        )
        assert published.address.endswith(f"/{size}/rwkv-final.pth")
        with pytest.raises(CheckpointError, match=f"net: holds parameters .* the published network '{size}'"):
            published.check({"a": np.zeros(1, np.float32)}, "net")
