"""LineRWKV against numbers of the published implementation."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.helpers import shared_folder
from tests.state_dict_writer import file_of

from spatial_prediction.compression import linerwkv
from spatial_prediction.compression.entropy_coder import encode_residuals
from spatial_prediction.compression.predictors import LineRWKVPredictor, from_residuals, to_residuals

GOLDEN = shared_folder("golden/linerwkv")
pytestmark = [pytest.mark.golden, pytest.mark.usefixtures("quick_compilation")]


def read(name):
    with np.load(GOLDEN / f"{name}.npz") as npz:
        return dict(npz)


def network(size, dtype=np.float32):
    arrays = {name: array.astype(dtype) for name, array in read(f"weights_{size}").items()}
    return linerwkv.LineRWKV.from_named_arrays(arrays)


def normalisation(case):
    """Mean and deviation of each line (lines, 1, bands), in units of the quantised samples."""
    step = 2 * int(case["delta"]) + 1
    mean, deviation = (case[name] / step for name in ("mu_enc", "sigma_enc"))
    return [np.repeat(each, 16, axis=0)[:, None] for each in (mean, deviation + 1e-8)]


def predictions(size, case, dtype, columns=slice(None)):
    """Predict all lines of the crop but the first, in units of the quantised samples."""
    step = 2 * int(case["delta"]) + 1
    mean, deviation = normalisation(case)
    samples = np.rint(read("crop_a")["image"][:18] / step)
    samples = ((samples - mean[:18]) / deviation[:18]).astype(dtype)

    @eqx.filter_jit
    def predict(model, samples):
        return model.predict_encoded(samples[:, columns], model.encode(samples)[:, columns])

    predicted = np.asarray(predict(network(size, dtype), jnp.asarray(samples)), float)
    return predicted * deviation[1:18] + mean[1:18]


@pytest.mark.parametrize("form", ["parallel", "steps"])
def test_wkv(form):
    case = read("wkv_case")
    with jax.enable_x64(True):
        k, v = (jnp.moveaxis(jnp.asarray(case[name], float), 1, 0) for name in "kv")
        decay, first = -np.exp(case["time_decay"].astype(float)), jnp.asarray(case["time_first"], float)
        if form == "parallel":
            y = linerwkv.wkv(k, v, jnp.asarray(decay), first)
        else:
            past, outputs = linerwkv.empty(k[0]), []
            for one_k, one_v in zip(k, v, strict=True):
                past, output = linerwkv.wkv_step(past, one_k, one_v, jnp.asarray(decay), first)
                outputs.append(output)
            y = jnp.stack(outputs)
    np.testing.assert_allclose(np.moveaxis(y, 0, 1), case["y_float64"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", ["xs", "s", "m", "l"])
def test_sizes_are_the_published_ones(size):
    config = json.loads((GOLDEN / f"config_{size}.json").read_text())
    names = ("dim_enc", "N_layers_encoder", "n_layer_lines", "n_layer_bands", "N_layers_decoder")
    assert linerwkv.SIZES[size] == linerwkv.Size(*(config[name] for name in names))


@pytest.mark.parametrize("size", ["xs", "s"])
def test_arrays_go_in_and_out_by_name(size):
    arrays = read(f"weights_{size}")
    named = network(size).to_named_arrays()
    assert named.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(named[name], array)


@pytest.mark.parametrize("size", ["xs", "s"])
def test_published_parameters_are_known_by_their_digest(size):
    assert linerwkv.parameters_digest(read(f"weights_{size}")) == linerwkv.PUBLISHED[size].digest


@pytest.mark.parametrize("size", ["xs", "s"])
def test_published_parameters_come_out_of_a_file_of_pytorch(size):
    arrays = read(f"weights_{size}")
    found = linerwkv.parsed_state_dict(file_of(arrays), "rwkv-final.pth")
    linerwkv.PUBLISHED[size].check(found, "rwkv-final.pth")
    assert found.keys() == arrays.keys()


def test_activations():
    """One line after another and one band after another, as in coding."""
    expected = read("xs_crop_a_activations")
    case = read("xs_crop_a")
    mean, deviation = normalisation(case)
    samples = ((read("crop_a")["image"][:5] - mean[:5]) / deviation[:5]).astype(np.float32)
    model = network("xs")
    first, context = expected["columns"], int(expected["context_line"])

    @eqx.filter_jit
    def activations(model, samples):
        state = model.begin(*samples.shape[1:])
        for line in samples[: context + 1]:
            state, spatial = model.next_line(state, line)
        return state, model.encode(samples), spatial, model.predict_line(samples[3], spatial, samples[4])

    state, encoded, spatial, predicted = activations(model, jnp.asarray(samples))
    near = {"rtol": 0, "atol": 1e-4}
    np.testing.assert_allclose(encoded[3][first], expected["encoder_context"], **near)
    np.testing.assert_allclose(encoded[4][first], expected["encoder_target"], **near)
    np.testing.assert_allclose(spatial[first], expected["spatial_out"], **near)
    np.testing.assert_allclose(predicted[first, 1:], expected["decoder_out"], rtol=0, atol=2e-3)
    band_zero = predicted[first, 0] * deviation[4, 0, 0] + mean[4, 0, 0]
    np.testing.assert_allclose(band_zero, expected["bandzero_pred"], rtol=0, atol=2e-2)

    for block, own in enumerate(state):
        channel, time, aa, bb, pp = expected["spatial_state"][5 * block : 5 * block + 5]
        np.testing.assert_allclose(own.channel_input[:2], channel, **near)
        np.testing.assert_allclose(own.time_input[:2], time, **near)
        np.testing.assert_allclose(own.average.mean[:2], aa / bb, rtol=0, atol=1e-3)
        np.testing.assert_allclose(own.average.log_weight[:2], np.log(bb) + pp, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("size", "name"), [("xs", "xs_crop_a"), ("s", "s_crop_a"), ("xs", "xs_crop_a_delta2")]
)
def test_predictions_in_float32(size, name):
    case = read(name)
    columns = slice(0, 64, 8)
    lines = case["predicted_lines"][case["predicted_lines"] < 18]
    own = predictions(size, case, np.float32, columns)[lines - 1]
    expected = case["predicted"][: len(lines), columns]
    np.testing.assert_allclose(own, expected, rtol=0, atol=2e-2)


@pytest.mark.parametrize("size", ["xs", "s"])
def test_predictions_in_float64(size):
    case = read(f"{size}_crop_a")
    columns = slice(1, 64, 8)
    lines = case["predicted_lines"][case["predicted_lines"] < 18]
    with jax.enable_x64(True):
        own = predictions(size, case, np.float64, columns)[lines - 1]
    np.testing.assert_allclose(own, case["predicted_float64"][: len(lines), columns], rtol=0, atol=1e-6)


def predictor_of(size):
    return LineRWKVPredictor(linerwkv.quantised(network(size)), columns=64, bands=202)


@pytest.mark.parametrize("size", ["xs", "s"])
def test_integers_cost_next_to_nothing(size):
    """In lines whose statistics are the same, against the reference: residuals and the size of their code."""
    cube = read("crop_a")["image"][:16]
    case = read(f"{size}_crop_a")
    own = to_residuals(cube, predictor_of(size))
    reference = case["mapped_residuals"][:16]
    np.testing.assert_array_equal(from_residuals(own, predictor_of(size), dtype=cube.dtype), cube)
    assert len(encode_residuals(own)) < 1.005 * len(encode_residuals(reference))


def test_training():
    """Predictions, loss, gradients and one step of the optimiser."""
    case = read("training_xs")
    patch = jnp.asarray(case["image"][:-1].astype(np.float32) / np.float32(1000))
    model = network("xs")
    predicted = eqx.filter_jit(linerwkv.training_predictions)(model, patch)
    np.testing.assert_allclose(predicted, case["val_prediction"], rtol=0, atol=2e-5)
    np.testing.assert_allclose(linerwkv.training_loss(model, patch), case["val_l1"], rtol=1e-5)

    columns = jnp.asarray(case["train_pos"])
    loss, gradient = eqx.filter_jit(jax.value_and_grad(linerwkv.training_loss))(model, patch, columns)
    np.testing.assert_allclose(loss, case["train_loss"], rtol=1e-5)
    for name, own in gradient.to_named_arrays().items():
        expected = case[f"grad.{name}"]
        np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max(), err_msg=name)

    optimise = linerwkv.optimizer(5e-4)
    given = linerwkv.LineRWKV.from_named_arrays(
        {name[5:]: array for name, array in case.items() if name.startswith("grad.")}
    )
    with jax.numpy_dtype_promotion("standard"):
        updates, _ = optimise.update(given, optimise.init(model), model)
    for name, own in eqx.apply_updates(model, updates).to_named_arrays().items():
        np.testing.assert_allclose(own, case[f"step1.{name}"], rtol=1e-6, atol=1e-6, err_msg=name)


def test_initial_values_that_are_not_random():
    named = linerwkv.LineRWKV.initialised(linerwkv.SIZES["xs"], key=jax.random.key(0)).to_named_arrays()
    for name, expected in read("init_xs").items():
        np.testing.assert_allclose(named[name], expected, rtol=1e-5, atol=1e-6, err_msg=name)
