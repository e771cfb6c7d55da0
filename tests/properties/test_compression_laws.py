"""Laws of codecs, for cubes of any shape and range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.compressed_streams import EACH_KIND, damaged, outcome
from tests.damaged_containers import PLACES, Containers
from tests.line_networks import random_network
from tests.plain_prediction import mapped_indices

from spatial_prediction.compression import ccsds123, compress, decompress
from spatial_prediction.compression.ccsds123._limits import stated_limits
from spatial_prediction.compression.ccsds123._prediction import Predictor
from spatial_prediction.compression.ccsds123.parameters import parameters_for
from spatial_prediction.compression.entropy_coder import decode_residuals, encode_residuals
from spatial_prediction.compression.linerwkv import quantised
from spatial_prediction.compression.methods import METHODS, PREDICTORS

NETWORK = quantised(random_network())
SHAPES = st.tuples(*[st.integers(1, 6)] * 3)
CUBES = st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4"]).flatmap(lambda dtype: arrays(dtype, SHAPES))
LOCAL_SUMS = ["wide_neighbor", "narrow_neighbor", "wide_column", "narrow_column"]


@st.composite
def cubes_and_parameters(draw):
    cube = draw(CUBES)
    _, columns, bands = cube.shape
    D = 8 * cube.itemsize
    narrow = columns == 1
    parameters = {
        "P": draw(st.integers(0, 15)),
        "prediction_mode": "reduced" if narrow else draw(st.sampled_from(["full", "reduced"])),
        "local_sum": draw(st.sampled_from(LOCAL_SUMS[2:] if narrow else LOCAL_SUMS)),
        "Omega": draw(st.integers(4, 19)),
        "v_min": draw(st.integers(-6, 0)),
        "v_max": draw(st.integers(0, 9)),
        "t_inc": draw(st.sampled_from([16, 64, 2048])),
        "encoding_order": draw(st.sampled_from(["BSQ", "BI"])),
        "entropy_coder": draw(st.sampled_from(["sample_adaptive", "hybrid"])),
        "U_max": draw(st.integers(8, 32)),
        "gamma_0": draw(st.integers(1, 3)),
        "gamma_star": draw(st.integers(4, 11)),
        "B": draw(st.integers(1, 8)),
        "Theta": draw(st.integers(0, 4)),
    }
    parameters["R"] = draw(st.integers(max(32, D + parameters["Omega"] + 2), 64))
    if parameters["encoding_order"] == "BI":
        parameters["M"] = draw(st.integers(1, bands))
    limit = 0
    if draw(st.booleans()):
        limit = draw(st.integers(0, (1 << min(D - 1, 16)) - 1))
        parameters |= {"fidelity": "absolute", "a": limit}
        parameters["psi"] = draw(st.integers(0, (1 << parameters["Theta"]) - 1))
    parameters["phi"] = draw(st.integers(0, (1 << parameters["Theta"]) - 1))
    return cube, parameters, limit


@settings(max_examples=150)
@given(cubes_and_parameters())
def test_no_sample_comes_back_with_a_larger_error_than_allowed(drawn):
    cube, parameters, limit = drawn
    decoded = ccsds123.decompress(ccsds123.compress(cube, **parameters))
    assert decoded.shape == cube.shape
    assert np.abs(decoded.astype(np.int64) - cube.astype(np.int64)).max() <= limit


@settings(max_examples=150)
@given(cubes_and_parameters(), st.data())
def test_predictions_are_those_of_plain_integers(drawn, data):
    cube, given_parameters, _ = drawn
    bands, D = cube.shape[2], 8 * cube.itemsize
    chosen = {name: value for name, value in given_parameters.items() if name != "a"}
    components = [min(z, chosen["P"]) for z in range(bands)]
    full = chosen["prediction_mode"] == "full"
    if data.draw(st.booleans(), "custom weights"):
        Q = chosen["Q"] = data.draw(st.integers(3, chosen["Omega"] + 3))
        of_band = [st.lists(number(Q), min_size=3 * full + n, max_size=3 * full + n) for n in components]
        chosen["Lambda"] = data.draw(st.tuples(*of_band))
    if data.draw(st.booleans(), "offsets"):
        offset = st.integers(-6, 5)
        of_band = [st.lists(offset, min_size=full + n, max_size=full + n) for n in components]
        chosen["zeta"] = data.draw(st.tuples(*of_band))
    limit = st.integers(0, (1 << min(D - 1, 16)) - 1)
    limits = st.one_of(limit, st.lists(limit, min_size=bands, max_size=bands))
    chosen["fidelity"] = data.draw(
        st.sampled_from(["lossless", "absolute", "relative", "absolute_and_relative"])
    )
    if chosen["fidelity"] == "lossless":
        chosen["psi"] = 0
    for name, word in (("a", "absolute"), ("r", "relative")):
        if word in chosen["fidelity"]:
            chosen[name] = data.draw(limits)
    parameters = parameters_for(cube, chosen)
    smallest = int(np.iinfo(cube.dtype).min)
    samples = (cube.astype(np.int64) - smallest).astype(np.uint32)
    by_band = stated_limits(parameters, 0).by_band(bands)
    found = Predictor(parameters, cube.shape[1], bands).encode_rows(samples, by_band)
    expected = mapped_indices(cube, parameters)
    assert {(z, y, x): int(found[y, x, z]) for z, y, x in expected} == expected


def number(bits):
    return st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


@settings(max_examples=50)
@given(arrays(np.uint16, SHAPES), st.sampled_from(["BSQ", "BI"]), st.integers(8, 32), st.data())
def test_residuals_come_back(residuals, order, U_max, data):
    M = data.draw(st.integers(1, residuals.shape[2]))
    stream = encode_residuals(residuals, encoding_order=order, M=M, U_max=U_max)
    decoded = decode_residuals(stream, residuals.shape, encoding_order=order, M=M, U_max=U_max)
    np.testing.assert_array_equal(decoded, residuals)


@st.composite
def cubes_and_deltas(draw):
    cube = draw(arrays(draw(st.sampled_from(["u1", "i1", "u2", "i2"])), draw(SHAPES)))
    delta, bands = st.integers(0, (1 << (8 * cube.itemsize - 1)) - 1), cube.shape[2]
    return cube, draw(st.one_of(st.just(0), delta, st.lists(delta, min_size=bands, max_size=bands)))


@pytest.mark.parametrize("predictor", PREDICTORS)
@settings(max_examples=25)
@given(cubes_and_deltas(), st.integers(1, 6))
def test_containers_of_every_predictor_hold_any_cube(predictor, drawn, rows):
    cube, delta = drawn
    network = None if predictor in METHODS else NETWORK
    stream = compress(cube, delta=delta, predictor=predictor, network=network, rows_per_group=rows)
    decoded = decompress(stream, network=network)
    assert decoded.dtype == cube.dtype
    assert (np.abs(decoded.astype(int) - cube.astype(int)).max((0, 1)) <= delta).all()


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_give_an_error_or_a_cube(stream):
    assert outcome(stream) in ("cube", "error")


@pytest.mark.parametrize("kind", EACH_KIND)
@settings(max_examples=40)
@given(cube=arrays(np.uint16, (5, 3, 4)), seed=st.integers(0, 1 << 30))
def test_any_damage_to_any_stream_gives_an_error_or_a_cube(kind, cube, seed):
    stream = ccsds123.compress(cube, **EACH_KIND[kind])
    assert outcome(damaged(stream, np.random.default_rng(seed))) in ("cube", "error")


@pytest.fixture(scope="module")
def containers():
    return Containers()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("predictor", PREDICTORS)
def test_any_damage_to_any_container_gives_an_error_or_a_cube(containers, predictor, place):
    """Above the checksums an error or the right cube, beneath them at least one of its shape."""
    rng = np.random.default_rng(0)
    found = {containers.outcome(predictor, place, rng) for _ in range(60)}
    assert "error" in found
    assert found <= {"error", "right", "wrong"}
