"""CCSDS 123.0-B-2 and its coders, bit by bit, against streams that two other implementations agree on."""

import hashlib
import json

import numpy as np
import pytest
from tests.helpers import shared_folder

from spatial_prediction.compression import ccsds123
from spatial_prediction.compression.ccsds123._limits import stated_limits
from spatial_prediction.compression.ccsds123._prediction import Predictor
from spatial_prediction.compression.entropy_coder import decode_residuals, encode_residuals
from spatial_prediction.compression.entropy_coder._low_entropy import codes

FOLDER = shared_folder("golden/ccsds123")
CODER = shared_folder("golden/linerwkv") / "entropy_coder_cases.npz"
CUBES = shared_folder("data/hyperspectral")

pytestmark = pytest.mark.golden


def read_json(name):
    path = FOLDER / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


CASES = read_json("cases.json")


@pytest.fixture(scope="module")
def arrays():
    with np.load(FOLDER / "cases.npz") as npz:
        yield npz


@pytest.mark.parametrize("name", CASES or [None])
def test_streams_are_the_standards(name, arrays):
    image, stream = arrays[f"{name}|image"], arrays[f"{name}|stream"].tobytes()
    compressed = ccsds123.compress(image, **CASES[name]["parameters"])
    header = CASES[name]["header_bytes"]
    assert compressed[:header] == stream[:header]
    assert compressed == stream
    assert ccsds123.read_header(stream)[1] == header


@pytest.mark.parametrize("name", CASES or [None])
def test_streams_of_others_are_decoded(name, arrays):
    image = arrays[f"{name}|image"]
    key = f"{name}|reconstruction"
    expected = arrays[key if key in arrays else f"{name}|image"]
    decoded = ccsds123.decompress(arrays[f"{name}|stream"].tobytes())
    np.testing.assert_array_equal(decoded, expected)
    assert decoded.dtype == image.dtype


@pytest.mark.parametrize("name", ["default", "absolute_3_representatives", "signed_random"])
def test_mapped_indices_are_the_standards(name, arrays):
    image = arrays[f"{name}|image"]
    parameters = ccsds123.Parameters(**CASES[name]["parameters"])
    smallest = -(1 << (parameters.D - 1)) if parameters.signed else 0
    limits = stated_limits(parameters, 0).by_band(parameters.N_Z)
    samples = (image.astype(np.int64) - smallest).astype(np.uint32)
    mapped = Predictor(parameters, parameters.N_X, parameters.N_Z).encode_rows(samples, limits)
    np.testing.assert_array_equal(mapped, arrays[f"{name}|mapped"])


def whole_cube(name):
    about = json.loads((CUBES / f"{name}.json").read_text(encoding="utf-8"))
    samples = np.fromfile(CUBES / f"{name}.bsq", "<u2")
    return samples.reshape(about["bands"], about["rows"], about["columns"]).transpose(1, 2, 0)


@pytest.mark.parametrize("name", ["jasper_ridge", "enmap_potsdam"])
def test_streams_of_whole_cubes_are_the_standards(name):
    for setting, expected in read_json("rates.json")[name].items():
        parameters = {key: value for key, value in expected["parameters"].items() if key != "Sigma_0"}
        stream = ccsds123.compress(whole_cube(name), **parameters)
        assert len(stream) == expected["stream_bytes"], setting
        assert hashlib.sha256(stream).hexdigest() == expected["stream_sha256"], setting


def test_the_codes_of_low_entropy_are_the_standards():
    tables = codes()
    for code, expected in enumerate(read_json("hybrid_code_tables.json")):
        assert (tables.thresholds[code], tables.limits[code]) == (expected["T"], expected["L"])
        words = {False: {}, True: {}}
        waiting = [(tables.roots[code], "")]
        while waiting:
            node, prefix = waiting.pop()
            words[bool(tables.is_leaf[node])][prefix] = f"{tables.word[node]:0{tables.width[node]}b}"
            for symbol in range(expected["L"] + 2):
                if tables.children[node, symbol]:
                    name = "X" if symbol > expected["L"] else f"{symbol:X}"
                    waiting.append((tables.children[node, symbol], prefix + name))
        assert words[True] == expected["codewords"]
        assert words[False] == expected["flush_words"]


def coder_cases():
    if not CODER.exists():
        return [None]
    with np.load(CODER) as npz:
        return sorted({key.rpartition(".")[0] for key in npz})


@pytest.mark.parametrize("name", coder_cases())
def test_coded_residuals_are_those_of_the_coder_that_linerwkv_uses(name):
    with np.load(CODER) as npz:
        samples, stream = npz[f"{name}.samples"], npz[f"{name}.bytes"].tobytes()
        values = (int(value) for value in npz[f"{name}.params"])
    settings = dict(zip(("U_max", "gamma_0", "K", "gamma_star", "D"), values, strict=True))
    assert encode_residuals(samples, **settings) == stream
    np.testing.assert_array_equal(decode_residuals(stream, samples.shape, **settings), samples)
