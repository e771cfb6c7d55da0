"""Extreme maps: the kernels are finite where XLA is, agree with it, and touch no other channel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction import native
from spatial_prediction.padding import padding_from_name

pytestmark = [
    pytest.mark.usefixtures("quick_compilation"),
    pytest.mark.skipif(
        not native.available(), reason="kernels are not compiled (python -m spatial_prediction.native)"
    ),
]

NAMES = [
    "lp1x1", "lp2x1", "lp2x3", "lp3x3", "lp2x3_batch",
    "lp1x1cs", "lp2x1cs", "lp1x1c", "lp2x3c", "lp2x3_band4", "lp2x3_decay4", "lp1x1_across",
]  # fmt: skip
TOLERANCES = {"float32": (1e-4, 1e-3), "float64": (1e-9, 1e-8)}
"""Of frames, as a share of the largest value of channel and frame; of gradients, of the largest one."""

HEIGHT, WIDTH = 12, 13
ORDINARY = np.random.default_rng(0).normal(size=(1, HEIGHT, WIDTH)).cumsum(1) + 3


def column(value, at):
    channel = ORDINARY[0].copy()
    channel[:, at] = value
    return channel


def pixel(value, at):
    channel = ORDINARY[0].copy()
    channel[at] = value
    return channel


MAPS = {
    **{
        f"{value:g} in column {at}": column(value, at)
        for value in (1e20, 9.97e36, -9.97e36, np.nan, np.inf)
        for at in (0, 1, 6, WIDTH - 1)
    },
    **{
        f"{value:g} in pixel {at}": pixel(value, at)
        for value in (3e38, np.nan)
        for at in ((0, 0), (5, 6), (11, 3))
    },
    **{f"constant {value:g}": np.full((HEIGHT, WIDTH), value) for value in (1e30, -1e30, 1e-18, 3e36, 0.0)},
    **{f"times {factor:g}": ORDINARY[0] * factor for factor in (1e30, 1e18, 1e-18, 1e-30)},
}


def rounding_decides(name, what, part, dtype):
    """Tell whether two orders of summation may give different results.

    In float64 squares of fill values are finite, so what is left of a constant, or of all other pixels, after
    the mean is taken off is rounding: by it coefficients fall on either side of 1, where gradients turn,
    and the determinant of two equations is the difference of equal products. In float32 they overflow, and
    both forms fall back on the mean.
    """
    if dtype == "float32":
        return what == "times 1e-18"  # whose squares have few digits left
    if name == "lp2x1cs" and " in pixel " in what:
        return True
    return " in column " in what or (part == 1 and what.startswith("constant") and what != "constant 0")


def frames(name, dtype):
    """A compiled function of maps: the strips, and the gradient of their weighted sum."""
    padding = padding_from_name(name, 2)

    def total(x):
        strips = padding.frame(x)
        weighted = [
            jnp.sum(strip * jnp.cos(jnp.arange(strip.size, dtype=strip.dtype)).reshape(strip.shape))
            for strip in strips
        ]
        return sum(weighted), strips

    return jax.jit(lambda x: jax.grad(total, has_aux=True)(x))


def computed(run, dtype):
    """For each map, beside an ordinary channel: [frame, gradient], each as rows (channels, values)."""
    results = {}
    for what, channel in MAPS.items():
        x = jnp.asarray(np.stack([channel, ORDINARY[0]], axis=-1), dtype)
        gradient, strips = run(x)
        rows = [
            np.concatenate([np.asarray(s).reshape(-1, 2) for s in each]).T for each in (strips, [gradient])
        ]
        results[what] = rows
    return results


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", NAMES)
def test_kernels_are_finite_where_xla_is_and_agree_with_it(name, dtype, monkeypatch):
    with jax.enable_x64(True), np.errstate(all="ignore"):
        found = computed(frames(name, dtype), dtype)
        monkeypatch.setenv(native.DISABLING_VARIABLE, "0")
        expected = computed(frames(name, dtype), dtype)
    ordinary = found["constant 0"]
    for what, channel in MAPS.items():
        for part, (mine, xla) in enumerate(zip(found[what], expected[what], strict=True)):
            case = f"{what}, {('frame', 'gradient')[part]}"
            if not name.endswith("across"):
                np.testing.assert_array_equal(
                    mine[1], ordinary[part][1], err_msg=f"{case}: the other channel"
                )
            finite = np.isfinite(xla[0])
            assert np.isfinite(mine[0][finite]).all(), case
            if rounding_decides(name, what, part, dtype):
                continue
            size = np.abs(xla[0][finite]).max(initial=0)
            if part == 0 and np.isfinite(channel).all():
                size = max(size, np.abs(channel.astype(dtype)).max())
            np.testing.assert_allclose(
                mine[0][finite], xla[0][finite], rtol=0, atol=TOLERANCES[dtype][part] * size, err_msg=case
            )
