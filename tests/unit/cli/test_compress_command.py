"""The commands ``compress``, ``decompress`` and ``inspect``, as a user types them."""

import re
import subprocess
import sys

import numpy as np
import pytest
from tests.cube_writer import BANDS, COLUMNS, ROWS, QuickMethod, cube, write_envi, write_netcdf
from tests.helpers import REPOSITORY
from tests.line_networks import random_network

from spatial_prediction.__main__ import main
from spatial_prediction.cli import compress, decompress, inspect
from spatial_prediction.compression.integer_linerwkv import save_network
from spatial_prediction.compression.linerwkv import quantised
from spatial_prediction.compression.methods import METHODS
from spatial_prediction.errors import CheckpointError, ConfigurationError, StreamError


@pytest.fixture
def quick_method(monkeypatch):
    monkeypatch.setitem(METHODS, "ccsds123", QuickMethod)


@pytest.fixture
def packed(tmp_path, quick_method):
    path = write_envi(tmp_path / "a.bil", cube(">u2"))
    main(["compress", str(path), "--out", str(tmp_path / "a.spc"), "--rows-per-group", "4", "--threads", "2"])
    return tmp_path / "a.spc"


def test_a_cube_is_compressed_restored_and_shown(tmp_path, packed, capsys, caplog):
    caplog.set_level("INFO")
    main(["decompress", str(packed), "--out", str(tmp_path / "b.hdr")])
    assert (tmp_path / "b.bil").read_bytes() == (tmp_path / "a.bil").read_bytes()
    assert (tmp_path / "b.hdr").read_bytes() == (tmp_path / "a.hdr").read_bytes()
    assert "decompressing a.spc: 3 of 3 groups of rows in" in caplog.text
    main(["inspect", str(packed), "--verify"])
    shown = capsys.readouterr().out.splitlines()
    size = packed.stat().st_size
    assert shown[:4] == [
        f"shape      {ROWS} rows, {COLUMNS} columns, {BANDS} bands",
        "samples    uint16, big endian",
        "predictor  ccsds123",
        "delta      0, lossless",
    ]
    assert shown[4].startswith(
        f"size       {size:,} bytes, {8 * size / (ROWS * COLUMNS * BANDS):.3f} bits per"
    )
    assert shown[5].startswith("groups     3 of 4 rows, ")
    assert "  header: data ignore value: 9999" in shown
    assert "  header: wavelength: 420.5, 500, 640.25, 2450" in shown
    assert shown[-1] == "checksums  those of all 3 groups are right"


@pytest.mark.parametrize("predictor", ["linerwkv", "mixture"])
def test_a_network_is_named_both_ways(tmp_path, predictor, capsys):
    network, another = tmp_path / "network.safetensors", tmp_path / "another.safetensors"
    save_network(network, quantised(random_network()), {"trained_on": "nothing"})
    save_network(another, quantised(random_network(seed=1)))
    path, packed = write_envi(tmp_path / "a.bil", cube("u2")), tmp_path / "a.spc"
    to, back = ["--out", str(packed)], ["decompress", str(packed), "--out", str(tmp_path / "b.hdr")]
    with pytest.raises(ConfigurationError, match=f"'{predictor}': needs a network: --network FILE"):
        main(["compress", str(path), "--predictor", predictor, *to])
    with pytest.raises(ConfigurationError, match="network: predictor='dpcm' takes none"):
        main(["compress", str(path), "--predictor", "dpcm", "--network", str(network), *to])
    assert not packed.exists()
    main(["compress", str(path), "--predictor", predictor, "--network", str(network), *to])
    main(["inspect", str(packed)])
    assert f"predictor  {predictor}" in capsys.readouterr().out
    with pytest.raises(ConfigurationError, match=r"give that \(--network FILE\)"):
        main(back)
    with pytest.raises(ConfigurationError, match="but the cube was compressed with"):
        main([*back, "--network", str(another)])
    with pytest.raises(CheckpointError, match=r"a\.bil: "):
        main([*back, "--network", str(path)])
    with pytest.raises(ConfigurationError, match="is the network itself"):
        main(["decompress", str(packed), "--out", str(network), "--network", str(network), "--overwrite"])
    assert not (tmp_path / "b.hdr").exists()
    main([*back, "--network", str(network)])
    assert (tmp_path / "b.bil").read_bytes() == path.with_suffix(".bil").read_bytes()


def test_rows_are_restored_by_themselves(tmp_path, packed):
    main(f"decompress {packed} --rows 2:9 --out {tmp_path / 'b.bil'}".split())
    samples = np.frombuffer((tmp_path / "b.bil").read_bytes()[7:], ">u2").reshape(7, BANDS, COLUMNS)
    np.testing.assert_array_equal(samples.transpose(0, 2, 1), cube(">u2")[2:9])


def test_plain_numbers_and_variables_are_named(tmp_path, quick_method, capsys):
    (tmp_path / "a.raw").write_bytes(cube(">i2").tobytes())
    raw = (
        f"--shape {ROWS} {COLUMNS} {BANDS} --dtype int16 --byte-order big --interleave bip --header-offset 0"
    )
    main(f"compress {tmp_path / 'a.raw'} {raw} --out {tmp_path / 'a.spc'}".split())
    main(f"decompress {tmp_path / 'a.spc'} --out {tmp_path / 'b.raw'}".split())
    assert (tmp_path / "b.raw").read_bytes() == (tmp_path / "a.raw").read_bytes()
    path = write_netcdf(tmp_path / "a.nc", np.full((ROWS, COLUMNS, BANDS), 50, "u2"))
    main(f"compress {path} --variable reflectance --axes y x --delta 2 --out {tmp_path / 'b.spc'}".split())
    main(f"compress {path} --delta 0 0 7 0 --out {tmp_path / 'c.spc'}".split())
    for name in "bc":
        main(f"inspect {tmp_path / f'{name}.spc'}".split())
    shown = capsys.readouterr().out
    assert "delta      2, no sample is wrong by more" in shown
    assert "delta      0 to 7, by band: 0 0 7 0" in shown
    assert "    reflectance: scale_factor: 0.0001" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--shape 1 2 3", "--shape: plain numbers need --shape and --dtype"),
        ("--interleave bil", "--interleave: plain numbers need"),
        (
            "--shape 11 6 4 --dtype float32",
            "--dtype float32: must be one of .*; pack them into whole",
        ),
        ("--variable v", "are of netCDF files, and the cube is none"),
        ("--rows-per-group 0", "--rows-per-group 0: must be from 1"),
        ("--threads 0", "threads=0: must be from 1"),
        ("--delta -1", "delta=-1"),
        ("--delta 1 2", "one for each band"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path, quick_method, options, message):
    path = write_envi(tmp_path / "a.bil", cube())
    with pytest.raises(ConfigurationError, match=message):
        main(f"compress {path} --out {tmp_path / 'a.spc'} {options}".split())
    assert not (tmp_path / "a.spc").exists()


@pytest.mark.parametrize("rows", ["3", "a:b", "1:2:3", "-1:4", ":", "1_0:20"])
def test_rows_are_two_numbers(tmp_path, rows):
    with pytest.raises(ConfigurationError, match=r"--rows .*: give the first row and the one after the last"):
        main(["decompress", "a.spc", "--out", "b.hdr", f"--rows={rows}"])


def test_exit_codes_are_true_and_messages_one_line(tmp_path, packed):
    def ended(*arguments):
        command = [sys.executable, "-m", "spatial_prediction", *map(str, arguments)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    assert ended("inspect", packed)[0] == 0
    packed.write_bytes(packed.read_bytes()[:-1])
    code, out, errors = ended("inspect", packed, "--verify")
    assert (code, out) == (1, "")
    assert re.fullmatch(rf"error: {re.escape(str(packed))}: .*not written to its end; .*\n", errors)
    code, _, errors = ended(
        "compress", tmp_path / "a.bil", "--out", tmp_path / "b.spc", "--predictor", "best"
    )
    assert code == 2
    assert "invalid choice: 'best'" in errors


@pytest.mark.parametrize("command", [compress, decompress, inspect])
def test_help_shows_examples_that_the_parser_takes(command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = command.__name__.rpartition(".")[2]
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert command.DESCRIPTION in capsys.readouterr().out
    examples = re.findall(r"^  spatial-prediction (.*)$", command.DESCRIPTION, re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        with pytest.raises((StreamError, Exception), match=r"cube\.\w+: (no such file|cannot be read)"):
            main(example.split())
