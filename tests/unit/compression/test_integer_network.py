"""The integer form of LineRWKV: two computations of the same integers, near those of the floating network."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erfc
from tests.defined_linerwkv import DefinedPredictor
from tests.line_networks import TINY, random_arrays, random_network, smooth_cube

from spatial_prediction.compression.integer_linerwkv import definition, tables
from spatial_prediction.compression.linerwkv import LineRWKV, Size, quantised
from spatial_prediction.compression.predictors import LineRWKVPredictor, from_residuals, to_residuals
from spatial_prediction.errors import CheckpointError


def predictions_of(predictor, cube):
    """What a predictor says of each line, in the samples' units, with 20 fractional bits."""
    predictions = np.zeros(cube.shape, np.int64)
    for row, line in enumerate(cube.astype(np.int64)):
        for band in range(cube.shape[2]):
            predictions[row, :, band] = predictor.predict().values
            predictor.update(np.ascontiguousarray(line[:, band]))
    return predictions


def size_of(cube):
    return {"columns": cube.shape[1], "bands": cube.shape[2]}


@pytest.fixture(scope="module")
def network():
    return quantised(random_network(spread=2.0))


def cubes():
    rng = np.random.default_rng(3)
    smooth = smooth_cube(4, 70, 3)
    wild = rng.choice(np.array([0, 1, 65535, 40000, 40003], np.uint16), size=(4, 9, 3))
    wild[0] = 7  # deviations of zero in the line that the statistics come from
    return {"smooth": smooth, "wild": wild}


@pytest.mark.parametrize("kind", ["smooth", "wild"])
def test_kernels_compute_what_is_defined(network, kind):
    cube = cubes()[kind]
    own = predictions_of(LineRWKVPredictor(network, **size_of(cube)), cube)
    defined = predictions_of(DefinedPredictor(network, **size_of(cube), batch=100), cube)
    np.testing.assert_array_equal(own, defined)


@pytest.mark.parametrize("largest_error", [0, 3, [0, 1, 7]])
def test_whole_lines_and_single_bands_give_the_same(network, largest_error):
    """More lines than the statistics are of, and widths of several blocks of columns."""
    cube = smooth_cube(18, 67, 3)
    predictor = LineRWKVPredictor(network, **size_of(cube))
    residuals = to_residuals(cube, predictor, largest_error=largest_error)
    defined = DefinedPredictor(network, **size_of(cube), batch=30)
    np.testing.assert_array_equal(to_residuals(cube, defined, largest_error=largest_error), residuals)
    decoded = [
        from_residuals(residuals, predictor, dtype=cube.dtype, largest_error=largest_error)
        for predictor in (
            LineRWKVPredictor(network, **size_of(cube)),
            DefinedPredictor(network, **size_of(cube), batch=67),
        )
    ]
    np.testing.assert_array_equal(*decoded)
    assert (np.abs(decoded[0].astype(int) - cube).max((0, 1)) <= largest_error).all()


def test_jax_computes_what_is_defined_for_any_batch_of_columns(network):
    cube = smooth_cube(3, 33, 2)
    by_jax = DefinedPredictor(network, **size_of(cube), batch=11, xp=jnp, compiled=jax.jit)
    defined = DefinedPredictor(network, **size_of(cube), batch=33)
    np.testing.assert_array_equal(predictions_of(by_jax, cube), predictions_of(defined, cube))


@pytest.mark.parametrize("size", [TINY, Size(16, 1, 1, 1, 1)])
def test_integers_stay_near_the_floating_network(size):
    rng = np.random.default_rng(5)
    model = random_network(size, seed=4)
    network = quantised(model)
    samples = rng.normal(size=(6, 12, 5))
    whole = np.rint(samples * 1024).astype(np.int32)
    expected = np.asarray(eqx.filter_jit(LineRWKV.predict)(model, jnp.asarray(samples, jnp.float32)))
    memories = [definition.begin(network.lines, 12) for _ in range(5)]
    own = np.zeros((5, 12, 5))
    for row in range(1, 6):
        spatial = []
        for band in range(5):
            encoded = definition.encode(network, whole[row - 1, :, band])
            memories[band], each = definition.step(network.lines, memories[band], encoded)
            spatial.append(each)
        own[row - 1, :, 0] = definition.predicted(network.band_zero, spatial[0]) + 4 * whole[row - 1, :, 0]
        memory = definition.begin(network.bands, 12)
        for band in range(4):
            surprise = definition.encode(network, whole[row, :, band]) - spatial[band]
            memory, spectral = definition.step(network.bands, memory, surprise)
            own[row - 1, :, band + 1] = definition.decode(network, spatial[band + 1] + spectral)
    np.testing.assert_allclose(own / 4096, expected, rtol=0, atol=0.02)


def test_tables_are_right_to_the_last_bit():
    x = np.arange(tables.ENTRIES)
    for table, values in (
        (tables.sigmoid(), 2**15 / (1 + np.exp(-x / 256))),
        (tables.softplus(), 2**16 * np.log1p(np.exp(-x / 256))),
        (tables.gelu_deficit(), 2**12 * x / 512 * erfc(x / 512 / np.sqrt(2)) / 2),
        (tables.inverse_roots(96), 2**20 * np.sqrt(96 / (x[1024:] + 0.5))),
    ):
        assert table.dtype == np.int32
        assert np.abs(table - values).max() < 0.5 + 1e-6


def test_products_with_fractions_are_floored_and_do_not_overflow():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.integers(-(2**23), 2**23, 500), [-(2**23), 2**23, -1, 0, 255, 256]]).astype(
        np.int32
    )
    for fraction in (0, 1, 12345, 2**15 - 1, 2**15):
        expected = x.astype(np.int64) * fraction // 2**15
        np.testing.assert_array_equal(definition.scaled(x, np.int32(fraction)), expected)


def test_no_sum_of_products_can_overflow():
    network = quantised(random_network(spread=5.0))
    for blocks in (network.lines, network.bands):
        assert np.abs(blocks.matrices.astype(int)).sum(-1).max() * 2**14 <= 2**30
        assert (np.abs(blocks.mixes).sum(2) <= 2**15).all()
    for layers, largest in ((network.encoder_in, 2**15), (network.encoder, 2**14), (network.decoder, 2**14)):
        assert np.abs(layers.weight.astype(int)).sum(-1).max() * largest <= 2**30
        reach = math.sqrt(8) * 2**11 * np.abs(layers.norm.gain.astype(int)) + np.abs(layers.norm.bias)
        assert reach.max() <= 2**30 + 2**14


def test_identity_is_of_the_numbers(network):
    assert network.identity() == quantised(random_network(spread=2.0)).identity()
    assert network.identity() != quantised(random_network(spread=2.0, seed=1)).identity()
    names = network.to_named_arrays()
    assert names["lines.entry.gain"].shape == (1, 8)
    assert names["bands.matrices"].dtype == np.int16


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"decoder.conv_out.bias": np.full(1, np.nan, np.float32)}, "decoder.conv_out.bias"),
        ({"blocks_lines.0.att.key.weight": np.full((8, 8), 1e9, np.float32)}, "so large"),
        ({"encoder.norm_in.weight": np.full(8, 1e7, np.float32)}, "so large"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change, said):
    with pytest.raises(CheckpointError, match=said):
        quantised(LineRWKV.from_named_arrays(random_arrays() | change))


def test_widths_that_do_not_fit_are_refused():
    with pytest.raises(CheckpointError, match="12 features"):
        quantised(random_network(Size(12, 1, 1, 1, 1)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"extra": np.zeros(1)}, "extra"),
        ({"encoder.norm_in.weight": np.ones(9, np.float32)}, "shape"),
        ({"encoder.conv_in.bias": np.float32(1)}, "encoder.conv_in.bias"),
    ],
)
def test_arrays_of_something_else_are_refused(change, said):
    with pytest.raises(CheckpointError, match=said):
        LineRWKV.from_named_arrays(random_arrays() | change)


def test_missing_arrays_are_refused():
    arrays = random_arrays()
    del arrays["blocks_lines.1.ffn.key.weight"]
    with pytest.raises(CheckpointError, match=r"lack 'blocks_lines\.1\.ffn\.key\.weight'"):
        LineRWKV.from_named_arrays(arrays)
