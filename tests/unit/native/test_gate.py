"""No kernel reads or writes beyond its arrays: every call of another form is refused, at two gates.

The gate in Python refuses where a program is traced, that of the kernel itself whoever calls it. Each kernel
is called with every array one too short, one too long, of a rank less and of other dtypes, and with wrong
attributes. What a gate lets through must be what XLA computes.
"""

import dataclasses
import functools
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.arrays import assert_close

from spatial_prediction import native
from spatial_prediction.convolution import _framed
from spatial_prediction.models import _feed_forward, phases_of
from spatial_prediction.models._upscaling import pixel_shuffle
from spatial_prediction.native import _gate
from spatial_prediction.padding import CovariancePrediction, Sides
from spatial_prediction.padding._autocorrelation import AutocorrelationEquations
from spatial_prediction.padding.linear_prediction.frame import _by_xla as frame_by_xla
from spatial_prediction.padding.linear_prediction.lagged_products import _sums_over_slices
from spatial_prediction.padding.linear_prediction.normal_equations import _solved_by_xla

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.skipif(
        not native.available(), reason="kernels are not compiled (python -m spatial_prediction.native)"
    ),
]

MAPS, HEIGHT, WIDTH, CHANNELS = 2, 7, 6, 3
X = (MAPS, HEIGHT, WIDTH, CHANNELS)
LAGS = [(0, 0), (1, 0), (2, -1), (0, 2)]
EQUATIONS = AutocorrelationEquations(2, 3, HEIGHT, WIDTH)
SCALE, RIDGE = 1 / (HEIGHT * WIDTH), 1e-2
PAD_WIDTH = ((2, 2), (2, 3))
DEFINITION = re.compile(r"^DEFINE_(?:KERNEL|SAMPLES)\((\w+),", re.MULTILINE)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def first_order(x):
    _, mean, sides = CovariancePrediction(0, 1)._fit_in_closed_form(x)
    return mean, jnp.stack([side[0, 0, 0] for side in sides], axis=-2)


def lagged_products(x, taper_y, taper_x, *, lags=LAGS):
    mean = jnp.mean(x, axis=(-3, -2))
    z = (x - mean[..., None, None, :]) * (taper_y[:, None] * taper_x)[..., None]
    return mean, jnp.moveaxis(_sums_over_slices(z, lags), 0, -2)


def prediction_coefficients(x, corrections, taper_y, taper_x):
    mean, sums = lagged_products(x, taper_y, taper_x, lags=EQUATIONS.lags)
    return mean, *EQUATIONS.solutions(jnp.moveaxis(sums + corrections, -2, 0) * SCALE, ridge=RIDGE)


def normal_equations(matrix, right_hand_side):
    solution = _solved_by_xla(jnp.moveaxis(matrix, 0, -2), jnp.moveaxis(right_hand_side, 0, -2))
    return (jnp.moveaxis(solution, -2, 0),)


def predicted_frame(x, mean, *coefficients, pad_width=PAD_WIDTH):
    return tuple(frame_by_xla(pad_width, x, mean, Sides(*coefficients))[1])


def convolution(x, top, bottom, left, right, kernel, bias):
    strips = Sides(top, bottom, left, right)
    return (_framed._by_xla(x, strips, kernel, bias, pad_width=PAD_WIDTH),)


def feed_forward(*arguments):
    return (_feed_forward._by_xla(*arguments),)


def upscaled_phases(*operands):
    return (phases_of(*operands),)


def upscaled_pixels(*operands):
    return (pixel_shuffle(phases_of(*operands), 2),)


LIMITS = {"scale": 10.0, "offset": 1.5, "lowest": 2.0, "highest": 40.0, "nodata": 0.0}


def upscaled_samples(*operands):
    """Rounded and limited in another order of operations, channel by channel."""
    *operands, masks = operands
    dn = (pixel_shuffle(phases_of(*operands), 4) + LIMITS["offset"]) * LIMITS["scale"]
    rounded = jnp.rint(dn)
    limited = ~((rounded >= LIMITS["lowest"]) & (rounded <= LIMITS["highest"]))
    valid, kept = (jnp.repeat(jnp.repeat(masks[..., i] != 0, 4, 1), 4, 2) for i in range(2))
    samples = jnp.where(valid[..., None], jnp.clip(rounded, LIMITS["lowest"], LIMITS["highest"]), 0)
    counts = jnp.sum(limited.any(-1) & valid & kept, axis=(1, 2))
    return jnp.moveaxis(samples, -1, 1).astype("uint16"), counts.astype("int32")


def block(x, top, bottom, left, right, kernel, bias, *weights):
    return feed_forward(*convolution(x, top, bottom, left, right, kernel, bias), *weights)


def gradients(function):
    """Gradients of a function with many results, with respect to all of its arguments."""

    def pulled_back(arguments, cotangents):
        return jax.vjp(function, *arguments)[1](tuple(cotangents))

    return pulled_back


def added_gradient(function, arguments):
    """What kernels compute that add the gradient with respect to x to what they are given."""

    def reference(given, x, *rest):
        others, cotangents = rest[: arguments - 1], rest[arguments - 1 :]
        return (given + jax.vjp(lambda x: function(x, *others), x)[1](tuple(cotangents))[0],)

    return reference


def pad_width_of(strips):
    """The pad width that strips (maps, rows, columns, channels) of the four sides have."""
    top, bottom, left, right = (strip.shape for strip in strips)
    return (top[1], bottom[1]), (left[2], right[2])


def prediction_coefficients_gradient(given, *rest):
    of_x, of_corrections, *_ = gradients(prediction_coefficients)(rest[:4], rest[4:])
    return given + of_x, of_corrections


def frame_gradient(given, *rest):
    frame = functools.partial(predicted_frame, pad_width=pad_width_of(rest[6:]))
    of_x, *others = gradients(frame)(rest[:6], rest[6:])
    return given + of_x, *others


@dataclasses.dataclass(frozen=True)
class Call:
    """A call as it should be: shapes of what the kernel takes and gives, attributes, and the XLA form."""

    operands: dict[str, tuple[int, ...]]
    results: dict[str, tuple[int, ...]]
    reference: Callable[..., Any]
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    dtypes: dict[str, str] = dataclasses.field(default_factory=dict)

    def results_of(self, dtype):
        """Shapes and dtypes of the results where all other arrays have ``dtype``."""
        return {
            name: jax.ShapeDtypeStruct(shape, self.dtypes.get(name, dtype))
            for name, shape in self.results.items()
        }


def with_gradient(name, reference, operands, results, attributes=None):
    """Calls of a kernel and of the one that adds its gradient with respect to x."""
    attributes = attributes or {}
    of_x = Call(
        {"cotangents": X, **operands, **{f"{name}_cotangents": shape for name, shape in results.items()}},
        {"gradient": X},
        added_gradient(reference, len(operands)),
        attributes,
    )
    return {name: Call(operands, results, reference, attributes), f"{name}_gradient": of_x}


TAPERS = {"taper_y": (HEIGHT,), "taper_x": (WIDTH,)}
CORRECTIONS = {"corrections": (MAPS, len(EQUATIONS.lags), CHANNELS)}
SOLUTIONS = {"mean": (MAPS, CHANNELS), "down": (MAPS, 3, 6, CHANNELS), "right": (MAPS, 3, 6, CHANNELS)}
EQUATIONS_OF_SIDES = {
    "lags": native.as_attribute(EQUATIONS.lags),
    "down_lag": native.as_attribute(EQUATIONS.entries[0]),
    "right_lag": native.as_attribute(EQUATIONS.entries[1]),
    "scale": np.float64(SCALE),
    "ridge": np.float64(RIDGE),
}
COEFFICIENTS = {
    "top": (MAPS, 3, 2, 3, CHANNELS),
    "bottom": (MAPS, 3, 1, 3, CHANNELS),
    "left": (MAPS, 1, 2, 1, CHANNELS),
    "right": (MAPS, 3, 2, 3, CHANNELS),
}
(TOP, BOTTOM), (LEFT, RIGHT) = PAD_WIDTH
BREADTH = LEFT + WIDTH + RIGHT
STRIPS = {
    "top_strip": (MAPS, TOP, BREADTH, CHANNELS),
    "bottom_strip": (MAPS, BOTTOM, BREADTH, CHANNELS),
    "left_strip": (MAPS, HEIGHT, LEFT, CHANNELS),
    "right_strip": (MAPS, HEIGHT, RIGHT, CHANNELS),
}
FRAMED = {"x": X, **STRIPS}
KERNEL, BIAS = {"kernel": (3, 2, CHANNELS, 5)}, {"bias": (5,)}
Y = (MAPS, TOP + HEIGHT + BOTTOM - 2, BREADTH - 1, 5)
WIDTHS = {"widths": native.as_attribute(PAD_WIDTH)}
WEIGHTS = {
    "expand": (1, 1, CHANNELS, 5),
    "expand_bias": (5,),
    "reduce": (1, 1, 5, CHANNELS),
    "reduce_bias": (CHANNELS,),
}
SYSTEM = {"matrix": (MAPS, 4, 4, 5), "right_hand_side": (MAPS, 4, 2, 5)}


BLOCK = {
    **FRAMED,
    **KERNEL,
    **BIAS,
    "expand": (1, 1, 5, 9),
    "expand_bias": (9,),
    "reduce": (1, 1, 9, 5),
    "reduce_bias": (5,),
}
UPSCALED = {
    "x": (MAPS, HEIGHT, WIDTH, CHANNELS),
    "kernel": (3, 2, CHANNELS, 48),
    "features": (MAPS, HEIGHT - 2, WIDTH - 1, 5),
    "pointwise": (1, 1, 5, 48),
    "bias": (48,),
}


def of(shapes):
    return {f"of_{name}": shape for name, shape in shapes.items()}


def map_gradient(cotangents, kernel):
    zeros = [
        jnp.zeros(shape, cotangents.dtype) for shape in (*FRAMED.values(), KERNEL["kernel"], BIAS["bias"])
    ]
    return gradients(convolution)((*zeros[:5], kernel, zeros[6]), (cotangents,))[:5]


def kernel_gradient(cotangents, *framed):
    zeros = [jnp.zeros(shape, cotangents.dtype) for shape in (KERNEL["kernel"], BIAS["bias"])]
    return gradients(convolution)((*framed, *zeros), (cotangents,))[5:]


def feed_forward_gradient(cotangents, x, expand, expand_bias, reduce):
    reduce_bias = jnp.zeros(CHANNELS, x.dtype)
    return gradients(feed_forward)((x, expand, expand_bias, reduce, reduce_bias), (cotangents,))


def block_gradient(cotangents, *given):
    return gradients(block)((*given, jnp.zeros(5, cotangents.dtype)), (cotangents,))


CALLS = {
    **with_gradient(
        "first_order", first_order, {"x": X}, {"mean": (MAPS, CHANNELS), "coefficient": (MAPS, 4, CHANNELS)}
    ),
    **with_gradient(
        "lagged_products",
        lagged_products,
        {"x": X, **TAPERS},
        {"mean": (MAPS, CHANNELS), "sum": (MAPS, len(LAGS), CHANNELS)},
        {"lags": native.as_attribute(LAGS)},
    ),
    "prediction_coefficients": Call(
        {"x": X, **CORRECTIONS, **TAPERS}, SOLUTIONS, prediction_coefficients, EQUATIONS_OF_SIDES
    ),
    "prediction_coefficients_gradient": Call(
        {"cotangents": X, "x": X, **CORRECTIONS, **TAPERS, **SOLUTIONS},
        {"gradient": X, "correction_gradient": CORRECTIONS["corrections"]},
        prediction_coefficients_gradient,
        EQUATIONS_OF_SIDES,
    ),
    "normal_equations": Call(SYSTEM, {"solution": SYSTEM["right_hand_side"]}, normal_equations),
    "normal_equations_gradient": Call(
        {**SYSTEM, "cotangents": SYSTEM["right_hand_side"]},
        of(SYSTEM),
        lambda *arguments: gradients(normal_equations)(arguments[:2], arguments[2:]),
    ),
    "predicted_frame": Call({"x": X, "mean": (MAPS, CHANNELS), **COEFFICIENTS}, STRIPS, predicted_frame),
    "predicted_frame_gradient": Call(
        {"cotangents": X, "x": X, "mean": (MAPS, CHANNELS), **COEFFICIENTS, **STRIPS},
        of({"x": X, "mean": (MAPS, CHANNELS), **COEFFICIENTS}),
        frame_gradient,
    ),
    "convolution": Call({**FRAMED, **KERNEL, **BIAS}, {"y": Y}, convolution, WIDTHS),
    "convolution_map_gradient": Call(
        {"cotangents": Y, **KERNEL},
        FRAMED,
        map_gradient,
        {**WIDTHS, "margins": native.as_attribute([[2, 2], [1, 1]])},
    ),
    "convolution_kernel_gradient": Call(
        {"cotangents": Y, **FRAMED}, {**KERNEL, **BIAS}, kernel_gradient, WIDTHS
    ),
    "feed_forward": Call({"x": X, **WEIGHTS}, {"y": X}, feed_forward),
    "feed_forward_gradient": Call(
        {"cotangents": X, "x": X, **{name: WEIGHTS[name] for name in ("expand", "expand_bias", "reduce")}},
        of({"x": X, **WEIGHTS}),
        feed_forward_gradient,
    ),
    "block": Call(BLOCK, {"y": Y}, block, WIDTHS),
    "block_gradient": Call(
        {"cotangents": Y, **{name: shape for name, shape in BLOCK.items() if name != "reduce_bias"}},
        of(BLOCK),
        block_gradient,
        WIDTHS,
    ),
    "upscaled_phases": Call(UPSCALED, {"y": (MAPS, HEIGHT - 2, WIDTH - 1, 48)}, upscaled_phases),
    "upscaled_pixels": Call(
        UPSCALED,
        {"y": (MAPS, 2 * HEIGHT - 4, 2 * WIDTH - 2, 12)},
        upscaled_pixels,
        {"factor": native.as_attribute(2)},
    ),
    "upscaled_samples": Call(
        {**UPSCALED, "masks": (MAPS, HEIGHT - 2, WIDTH - 1, 2)},
        {"samples": (MAPS, 3, 4 * HEIGHT - 8, 4 * WIDTH - 4), "limited": (MAPS,)},
        upscaled_samples,
        {"factor": native.as_attribute(4), **{name: np.float64(value) for name, value in LIMITS.items()}},
        {"samples": "uint16", "limited": "int32"},
    ),
}
DTYPES = {"float32": 2e-4, "float64": 1e-9}
FORMS = [
    (name, dtype) for name, call in CALLS.items() for dtype in ("float32", "float64")[: 2 - bool(call.dtypes)]
]

ROWS = {f"top_strip axis 1 {change}" for change in ("-1", "+1")} | {
    f"bottom_strip axis 1 {change}" for change in ("-1", "+1")
}
ACCEPTED = {
    # sizes that one array alone has
    "first_order": {"x axis 1 -1", "x axis 1 +1", "x axis 2 -1", "x axis 2 +1"},
    # neighbourhoods of another length, each side its own, and more or fewer rows to predict
    "predicted_frame": {
        *(f"{side} axis 2 {change}" for side in ("top", "left", "right") for change in ("-1", "+1")),
        "bottom axis 2 +1",
        *(f"result {rows}" for rows in ROWS),
    },
    "predicted_frame_gradient": ROWS,
}


def arrays(shapes, dtype):
    rng = np.random.default_rng(0)
    made = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    if "masks" in made:
        made["masks"] = np.round(np.abs(made["masks"]))
    if "matrix" in made:
        factor = made["matrix"]
        made["matrix"] = np.einsum("gikc,gjkc->gijc", factor, factor) + np.eye(4)[None, ..., None]
    return {name: np.asarray(array, dtype) for name, array in made.items()}


def by_xla(name, operands, found):
    reference = CALLS[name].reference
    if name == "predicted_frame":  # whose results say how many rows and columns are wanted
        reference = functools.partial(reference, pad_width=pad_width_of(found))
    return tuple(jax.jit(reference)(*map(jnp.asarray, operands.values())))


def resized(array, axis, change):
    if change < 0:
        return np.take(array, range(array.shape[axis] - 1), axis)
    return np.concatenate([array, np.take(array, [-1], axis)], axis)


def variations(call, dtype):
    """Wrong calls: what is wrong, operands, results, attributes."""
    operands = arrays(call.operands, dtype)
    results = call.results_of(dtype)
    others = [np.dtype(name) for name in ("float16", "float32", "float64", "int32", "complex64")]

    for name, array in operands.items():
        for axis in range(array.ndim):
            for change in (-1, 1):
                yield (
                    f"{name} axis {axis} {change:+}",
                    {**operands, name: resized(array, axis, change)},
                    results,
                    None,
                )
        yield f"{name} of rank {array.ndim - 1}", {**operands, name: array[0]}, results, None
        yield f"{name} of rank {array.ndim + 1}", {**operands, name: array[None]}, results, None
        for other in others:
            if other != dtype:
                yield f"{name} of {other}", {**operands, name: array.astype(other)}, results, None
    for name, result in results.items():
        shapes = {
            f"axis {axis} {change:+}": tuple(
                size + change * (at == axis) for at, size in enumerate(result.shape)
            )
            for axis in range(len(result.shape))
            for change in (-1, 1)
        }
        shapes |= {f"of rank {len(result.shape) - 1}": result.shape[1:], "of one more": (1, *result.shape)}
        for what, shape in shapes.items():
            changed = {**results, name: jax.ShapeDtypeStruct(shape, result.dtype)}
            yield f"result {name} {what}", operands, changed, None
        for other in others:
            if other != result.dtype:
                changed = {**results, name: jax.ShapeDtypeStruct(result.shape, other)}
                yield f"result {name} of {other}", operands, changed, None
    for name, value in call.attributes.items():
        rest = {other: call.attributes[other] for other in call.attributes if other != name}
        yield f"without {name}", operands, results, rest
        wrong = {"as float32": np.float32(1), "as text": "1"}
        if np.ndim(value):
            wrong |= {
                "of 32 bits": value.astype(np.int32),
                "one less": value[:-1],
                "one more": np.append(value, 0),
                "none": value[:0],
                "negative": np.append(value[:-1], -1 - 10**6),
                "huge": np.append(10**12, value[1:]),
                "one for all": value[0],
            }
            if name != "lags":  # of which each is as good as another
                wrong["one larger"] = np.append(value[:-1], value.max() + 1)
        for what, changed in wrong.items():
            yield f"attribute {name} {what}", operands, results, {**rest, name: changed}
    yield "one array less", dict(list(operands.items())[:-1]), results, None
    yield "one array more", {**operands, "another": np.zeros(3, dtype)}, results, None
    yield "one attribute more", operands, results, {**call.attributes, "another": np.float64(1)}


def through_python(name, dtype, operands, results, attributes):
    del dtype
    return native.kernel(name, results, **attributes)(*map(jnp.asarray, operands))


def past_python(name, dtype, operands, results, attributes):
    target = f"{name}_{next(iter(CALLS[name].dtypes.values()), dtype)}"
    native._register(target)
    return jax.ffi.ffi_call(target, results)(*operands, **attributes)


def refused(call, *arguments):
    """What an error says, or None and what was computed."""
    try:
        return None, jax.block_until_ready(call(*arguments))
    except (TypeError, ValueError, jax.errors.JaxRuntimeError) as error:
        return str(error), None


def test_every_kernel_is_called_here():
    defined = {name for source in native.SOURCES for name in DEFINITION.findall(source.read_text())}
    assert defined == set(CALLS) == set(_gate.SIGNATURES)


@pytest.mark.parametrize(("name", "dtype"), FORMS)
def test_a_right_call_gives_what_xla_gives(name, dtype):
    call = CALLS[name]
    operands = arrays(call.operands, dtype)
    results = list(call.results_of(dtype).values())
    found = native.kernel(name, results, **call.attributes)(*map(jnp.asarray, operands.values()))
    assert_close(tuple(found), by_xla(name, operands, found), DTYPES[dtype])


@pytest.mark.parametrize("call", [through_python, past_python])
@pytest.mark.parametrize(("name", "dtype"), FORMS)
def test_wrong_calls_are_refused_or_mean_what_xla_makes_of_them(name, dtype, call):
    accepted, count = {}, 0
    for what, operands, results, attributes in variations(CALLS[name], np.dtype(dtype)):
        given = (
            [*operands.values()],
            [*results.values()],
            CALLS[name].attributes if attributes is None else attributes,
        )
        message, found = refused(call, name, dtype, *given)
        count += 1
        if message is None:
            accepted[what] = (found, operands)
        elif call is through_python or "axis" in what:
            assert f"kernel {name}" in message, what
    print(f"{count} calls, {len(accepted)} accepted: {sorted(accepted)}")
    assert count > 30
    # XLA passes over what a kernel without attributes does not ask for
    passed_over = {"one attribute more"} if call is past_python and not CALLS[name].attributes else set()
    assert set(accepted) == ACCEPTED.get(name, set()) | passed_over
    for found, operands in accepted.values():
        assert_close(tuple(found), by_xla(name, operands, found), DTYPES[dtype])
