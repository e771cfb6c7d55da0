"""A U-Net that this project did not design, cut into tiles, before and after its padding is exchanged.

The architecture is that of Equinox's example "U-Net implementation" (examples/unet.ipynb by Ben Walker),
written anew from its description: residual blocks of two 3x3 convolutions with ``padding=1`` that see an
embedding of time, skip connections between the two arms, and either nearest-neighbour and mean resampling
("BigGAN") or strided and transposed convolutions between the levels. It is narrower here. The
example's GroupNorm and attention look at the whole map, so a tile differs from the whole image whatever the
padding; for the measurement they are left out.
"""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import convert_padding

pytestmark = pytest.mark.usefixtures("quick_compilation")

TIME = 0.5
TILE = 64
TOP, LEFT = 64, 64  # of the first tile; far enough from the border, see the first test
SIZE = 192, 256


def norm(channels, wanted):
    return eqx.nn.GroupNorm(channels // 4, channels) if wanted else eqx.nn.Identity()


class Attention(eqx.Module):
    norm: eqx.nn.GroupNorm
    queries_keys_values: eqx.nn.Conv2d
    out: eqx.nn.Conv2d
    heads: int = eqx.field(static=True)

    def __init__(self, channels, heads=2, size=8, *, key):
        first, second = jax.random.split(key)
        self.norm = eqx.nn.GroupNorm(channels // 4, channels)
        self.queries_keys_values = eqx.nn.Conv2d(channels, 3 * heads * size, 1, key=first)
        self.out = eqx.nn.Conv2d(heads * size, channels, 1, key=second)
        self.heads = heads

    def __call__(self, x):
        pixels = x.shape[1] * x.shape[2]
        q, k, v = self.queries_keys_values(self.norm(x)).reshape(3, self.heads, -1, pixels)
        context = jnp.einsum("hdn,hen->hde", jax.nn.softmax(k, axis=-1), v)
        return x + self.out(jnp.einsum("hde,hdn->hen", context, q).reshape(-1, *x.shape[1:]))


class Block(eqx.Module):
    norms: list
    convolutions: list
    time: eqx.nn.Linear
    shortcut: eqx.nn.Conv2d
    attention: Attention | None
    resampling: eqx.Module | str

    def __init__(self, inputs, outputs, width, *, scale="", biggan, global_layers, attention=False, key):
        keys = jax.random.split(key, 6)
        self.norms = [
            eqx.nn.GroupNorm(n // 4, n) if global_layers else eqx.nn.Identity() for n in (inputs, outputs)
        ]
        self.convolutions = [
            eqx.nn.Conv2d(inputs, outputs, 3, padding=1, key=keys[0]),
            eqx.nn.Conv2d(outputs, outputs, 3, padding=1, key=keys[1]),
        ]
        self.time = eqx.nn.Linear(width, outputs, key=keys[2])
        self.shortcut = eqx.nn.Conv2d(inputs, outputs, 1, key=keys[3])
        self.attention = Attention(outputs, key=keys[4]) if attention and global_layers else None
        self.resampling = scale
        if scale == "up" and not biggan:
            self.resampling = eqx.nn.ConvTranspose2d(inputs, inputs, 4, 2, padding=1, key=keys[5])
        elif scale == "down" and not biggan:
            self.resampling = eqx.nn.Conv2d(inputs, inputs, 3, 2, padding=1, key=keys[5])

    def resampled(self, x):
        if self.resampling == "up":
            return x.repeat(2, axis=1).repeat(2, axis=2)
        if self.resampling == "down":
            channels, height, width = x.shape
            return x.reshape(channels, height // 2, 2, width // 2, 2).mean((2, 4))
        return self.resampling(x) if self.resampling else x

    def __call__(self, x, time):
        y = self.resampled(jax.nn.silu(self.norms[0](x)))
        x = self.resampled(x)
        y = self.convolutions[0](y) + self.time(jax.nn.silu(time))[:, None, None]
        y = self.convolutions[1](jax.nn.silu(self.norms[1](y)))
        if self.resampling or x.shape != y.shape:
            x = self.shortcut(x)
        y = (x + y) / math.sqrt(2)
        return self.attention(y) if self.attention else y


class UNet(eqx.Module):
    time: eqx.nn.MLP
    first: eqx.nn.Conv2d
    down: list
    middle: list
    up: list
    norm: eqx.Module
    last: eqx.nn.Conv2d
    width: int = eqx.field(static=True)

    def __init__(self, channels=3, width=8, factors=(1, 2, 4), *, biggan, global_layers, key):
        keys = iter(jax.random.split(key, 30))

        def block(inputs, outputs, **options):
            return Block(
                inputs, outputs, width, biggan=biggan, global_layers=global_layers, key=next(keys), **options
            )

        sizes = [width, *(width * factor for factor in factors)]
        levels = list(itertools.pairwise(sizes))
        self.width = width
        self.time = eqx.nn.MLP(width, width, 4 * width, 1, jax.nn.silu, key=next(keys))
        self.first = eqx.nn.Conv2d(channels, width, 3, padding=1, key=next(keys))
        self.down = []
        for inputs, outputs in levels:
            self.down += [block(inputs, outputs), block(outputs, outputs, scale="down")]
        self.down.pop()
        self.middle = [block(sizes[-1], sizes[-1], attention=True), block(sizes[-1], sizes[-1])]
        self.up = []
        for inputs, outputs in reversed(levels):
            self.up += [block(2 * outputs, outputs), block(outputs + inputs, inputs)]
            self.up.append(block(inputs, inputs, scale="up"))
        self.up.pop()
        self.norm = norm(width, global_layers)
        self.last = eqx.nn.Conv2d(width, channels, 1, key=next(keys))

    def __call__(self, time, x):
        half = self.width // 2
        angles = time * jnp.exp(-math.log(10000) / (half - 1) * jnp.arange(half, dtype=jnp.float32))
        time = self.time(jnp.concatenate([jnp.sin(angles), jnp.cos(angles)]))
        x = self.first(x)
        passed = [x]
        for block in self.down:
            x = block(x, time)
            passed.append(x)
        for block in self.middle:
            x = block(x, time)
        for i, block in enumerate(self.up):
            x = block(x if i % 3 == 2 else jnp.concatenate([x, passed.pop()]), time)
        assert not passed
        return self.last(jax.nn.silu(self.norm(x)))


def natural_field(size, seed):
    """Three channels of reflectance 0.5 with 0.15 standard deviation and a spectrum as images have it."""
    shape = tuple(2 * length for length in size)  # twice as large, to be cut: the whole is periodic
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    frequency[0, 0] = np.inf
    white = np.random.default_rng(seed).normal(size=(3, *shape))
    field = np.fft.irfft2(np.fft.rfft2(white) * frequency**-1.5, s=shape)[:, : size[0], : size[1]]
    field -= field.mean((1, 2), keepdims=True)
    return (0.5 + 0.15 * field / field.std((1, 2), keepdims=True)).astype(np.float32)


@eqx.filter_jit
def run(network, x):
    return network(jnp.float32(TIME), x)


@pytest.fixture(scope="module")
def network():
    return UNet(biggan=True, global_layers=False, key=jax.random.key(0))


@pytest.fixture(scope="module")
def field():
    return natural_field(SIZE, seed=0)


@pytest.fixture(scope="module")
def whole(network, field):
    return run(network, field)


def two_tiles(y):
    return np.asarray(y)[:, TOP : TOP + TILE, LEFT : LEFT + 2 * TILE]


def seam_deviation(network, field, whole, pixels=4):
    """Mean absolute difference to the whole, that many pixels to both sides of the seam, in its std."""
    columns = (slice(LEFT, LEFT + TILE), slice(LEFT + TILE, LEFT + 2 * TILE))
    tiles = [run(network, field[:, TOP : TOP + TILE, column]) for column in columns]
    difference = np.abs(np.concatenate(tiles, axis=2) - two_tiles(whole))
    return difference[:, :, TILE - pixels : TILE + pixels].mean() / two_tiles(whole).std()


def test_the_reference_is_untouched_by_any_padding(network, field, whole):
    other, _ = convert_padding(network, "repl")
    y = run(other, field)
    assert np.abs(y - whole).max() > 1e-2 * two_tiles(whole).std()
    np.testing.assert_allclose(two_tiles(y), two_tiles(whole), rtol=1e-5, atol=1e-6)


def test_seams_between_tiles_fall_when_the_padding_is_exchanged(network, field, whole):
    deviation = {"before": seam_deviation(network, field, whole)}
    for name in ("repl", "lp2x3"):
        converted, report = convert_padding(network, name)
        assert len(report.changed) == 31
        deviation[name] = seam_deviation(converted, field, whole)
    assert deviation["repl"] < deviation["before"] / 10
    assert deviation["lp2x3"] < deviation["repl"]


def test_conversion_to_what_it_was_changes_nothing(network, field, whole):
    converted, _ = convert_padding(network, "ZEROS")
    np.testing.assert_allclose(run(converted, field), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("biggan", [True, False])
def test_the_example_as_it_is_converts_but_for_its_transposed_convolutions(biggan):
    network = UNet(biggan=biggan, global_layers=True, key=jax.random.key(0))
    if not biggan:
        with pytest.raises(ValueError, match=r"model\.up\[2\]\.resampling: ConvTranspose2d overlaps"):
            convert_padding(network, "lp1x1cs")
    converted, report = convert_padding(network, "repl", strict=False)
    assert len(report.changed) == 31 + (0 if biggan else 2)
    assert len(report.refused) == (0 if biggan else 2)
    assert run(converted, natural_field((32, 32), 0)).shape == (3, 32, 32)
