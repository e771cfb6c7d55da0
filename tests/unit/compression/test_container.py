"""Cubes in containers: what comes back, what memory holds, what damage does."""

import io
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from tests.compressed_streams import smooth_cube

from spatial_prediction.compression import ccsds123, compress, cubes, decompress
from spatial_prediction.compression.container import DTYPES, ContainerReader, ContainerWriter, Description
from spatial_prediction.errors import ConfigurationError, StreamError


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 1, 3), (1, 4, 2), (7, 3, 1)])
def test_cubes_come_back_in_their_type_and_byte_order(dtype, shape):
    info = np.iinfo(dtype)
    cube = np.random.default_rng(0).integers(info.min, info.max, shape, endpoint=True).astype(dtype)
    decoded = decompress(compress(cube, rows_per_group=3))
    np.testing.assert_array_equal(decoded, cube)
    assert decoded.dtype.str == dtype


@pytest.mark.parametrize("delta", [1, [0, 5, 2, 1]])
def test_no_error_is_larger_than_delta(delta):
    cube = smooth_cube((20, 6, 4))
    error = np.abs(decompress(compress(cube, delta=delta, rows_per_group=8)).astype(int) - cube)
    np.testing.assert_array_equal(error.max((0, 1)), np.broadcast_to(delta, 4))


def test_a_container_adds_little_to_its_streams():
    cube = smooth_cube((6, 7, 4))
    assert len(compress(cube)) < len(ccsds123.compress(cube)) + 250


@pytest.mark.parametrize("threads", [2, 5])
def test_the_number_of_threads_changes_no_byte(threads):
    cube = smooth_cube((17, 5, 3))
    stream = compress(cube, rows_per_group=2, threads=threads)
    assert stream == compress(cube, rows_per_group=2)
    np.testing.assert_array_equal(decompress(stream, threads=threads), cube)


def test_metadata_come_back():
    metadata = {"wavelength": [400.5, 500.25], "sensor": "ä"}
    stream = compress(smooth_cube(), metadata=metadata)
    assert cubes.CubeReader(io.BytesIO(stream)).description.metadata == metadata


class Pipe(io.BufferedIOBase):
    """Takes bytes, and can neither go back nor give any."""

    def __init__(self):
        self.taken = b""

    def write(self, data):
        self.taken += bytes(data)
        return len(data)


def test_rows_are_written_as_they_come_and_groups_are_read_alone():
    cube = smooth_cube((11, 5, 3))
    pipe = Pipe()
    writer = cubes.CubeWriter(pipe, cube.shape, cube.dtype, rows_per_group=4)
    lengths = [len(pipe.taken)]
    for first, last in ((0, 1), (1, 3), (3, 9), (9, 11)):
        writer.write_rows(cube[first:last])
        lengths.append(len(pipe.taken))
    writer.finish()
    assert lengths[0] == lengths[1] == lengths[2] < lengths[3] == lengths[4], (
        "a group is written when it is whole"
    )
    reader = cubes.CubeReader(io.BytesIO(pipe.taken))
    for group in (2, 0, 1):
        np.testing.assert_array_equal(reader.read_group(group), cube[reader.description.rows_of(group)])
    for absent in (-1, 3):
        with pytest.raises(IndexError, match="there are groups 0 to 2"):
            reader.read_group(absent)
    np.testing.assert_array_equal(decompress(pipe.taken), cube)
    assert compress(cube, rows_per_group=4) == pipe.taken


def test_damage_to_a_group_is_named_and_leaves_the_others():
    cube = smooth_cube((9, 5, 3))
    stream = bytearray(compress(cube, rows_per_group=3))
    whole = ContainerReader(io.BytesIO(bytes(stream)))
    place = bytes(stream).index(whole.read_group(1)) + 30
    stream[place] ^= 1
    reader = cubes.CubeReader(io.BytesIO(bytes(stream)))
    np.testing.assert_array_equal(reader.read_group(2), cube[6:])
    with pytest.raises(StreamError, match="rows 3 to 5 of the cube are damaged"):
        reader.read_group(1)


def test_any_single_wrong_byte_is_noticed():
    stream = compress(smooth_cube((4, 3, 2)), rows_per_group=2)
    for place in range(len(stream)):
        damaged = bytearray(stream)
        damaged[place] ^= 0x10
        with pytest.raises(StreamError):
            decompress(bytes(damaged))


def test_any_cut_is_noticed():
    stream = compress(smooth_cube((4, 3, 2)), rows_per_group=2)
    for length in range(len(stream)):
        with pytest.raises(StreamError):
            decompress(stream[:length])


def test_bytes_behind_the_end_are_noticed():
    with pytest.raises(StreamError, match="not written to its end"):
        decompress(compress(smooth_cube()) + b"\0")


def test_a_cube_of_an_unknown_predictor_is_refused():
    file = io.BytesIO()
    writer = ContainerWriter(file, Description((1, 1, 1), "<u2", "oracle", 1))
    writer.write_group(b"")
    writer.finish()
    with pytest.raises(StreamError, match="compressed with 'oracle'"):
        decompress(file.getvalue())


def test_a_group_of_another_shape_than_described_is_refused():
    file = io.BytesIO()
    writer = ContainerWriter(file, Description((2, 2, 1), "<u2", cubes.PREDICTOR, 2))
    writer.write_group(ccsds123.compress(np.zeros((1, 2, 2), np.uint16)))
    writer.finish()
    with pytest.raises(StreamError, match="have the shape"):
        decompress(file.getvalue())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delta": -1}, "delta=-1"),
        ({"delta": [1, 2]}, "delta="),
        ({"delta": 1 << 15}, "delta=32768: must be whole numbers from 0 to 32767"),
        ({"rows_per_group": 0}, "rows_per_group=0"),
        ({"threads": 0}, "threads=0"),
        ({"metadata": {"wavelength": float("nan")}}, "metadata: must be what JSON can hold"),
        ({"metadata": {"wavelength": b""}}, "metadata: must be what JSON can hold"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        compress(smooth_cube(), **arguments)


@pytest.mark.parametrize(
    "cube", [np.zeros((2, 2), np.uint16), np.zeros((2, 2, 2)), np.zeros((0, 2, 2), np.uint8)]
)
def test_what_is_no_cube_is_refused(cube):
    with pytest.raises(ConfigurationError):
        compress(cube)


@pytest.mark.parametrize("rows", [3, 6])
def test_other_rows_than_announced_are_refused(rows):
    cube = smooth_cube((rows, 6, 4))
    writer = cubes.CubeWriter(io.BytesIO(), (5, 6, 4), cube.dtype)
    writer.write_rows(cube)
    with pytest.raises(ConfigurationError, match=f"{rows} rows were written, 5 were announced"):
        writer.finish()


def test_rows_of_another_type_are_refused():
    writer = cubes.CubeWriter(io.BytesIO(), (5, 6, 4), "<u2")
    with pytest.raises(ConfigurationError, match="announced was <u2"):
        writer.write_rows(smooth_cube().astype(">u2"))


def test_what_a_killed_process_wrote_is_not_taken_for_whole(tmp_path):
    code = (
        "import os, signal, numpy as np; from spatial_prediction.compression.cubes import CubeWriter;"
        "file = open('cube', 'wb');"
        "writer = CubeWriter(file, (4, 2, 2), '<u2', rows_per_group=1);"
        "writer.write_rows(np.ones((3, 2, 2), '<u2')); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ)
    assert ended.returncode == -signal.SIGKILL
    with open(tmp_path / "cube", "rb") as file, pytest.raises(StreamError, match="not written to its end"):
        cubes.CubeReader(file)


def test_the_library_without_the_extra_is_imported_and_the_missing_package_named():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np; from spatial_prediction import command, compression\n"
        "command.run(lambda arguments: compression.compress(np.zeros((1, 1, 1), np.uint8)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "this package's extra 'compression' brings all that compression needs" in ended.stderr
