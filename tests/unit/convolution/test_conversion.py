import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spatial_prediction.convolution import ChangedLayer, PaddedConv2d, PartialConv2d, convert_padding

pytestmark = pytest.mark.usefixtures("quick_compilation")
KEY = jax.random.key(0)
CONV = eqx.nn.Conv2d(3, 3, 3, padding=1, key=KEY)
X = jnp.asarray(np.random.default_rng(0).normal(size=(3, 8, 8)), jnp.float32)


class Network(eqx.Module):
    first: eqx.nn.Conv2d
    blocks: list
    head: eqx.nn.Conv2d
    norm: eqx.nn.GroupNorm
    activation: object = jax.nn.relu
    name: str = eqx.field(static=True, default="network")

    def __init__(self, mode="ZEROS"):
        keys = jax.random.split(KEY, 4)
        self.first = eqx.nn.Conv2d(3, 4, 5, padding=((2, 2), (2, 2)), padding_mode=mode, key=keys[0])
        self.blocks = [
            eqx.nn.Conv2d(4, 4, 3, padding="SAME", padding_mode=mode, key=keys[1]),
            {"down": eqx.nn.Conv2d(4, 6, 3, 2, 1, padding_mode=mode, use_bias=False, key=keys[2])},
            eqx.nn.MaxPool2d(2),
        ]
        self.head = eqx.nn.Conv2d(6, 2, 1, key=keys[3])
        self.norm = eqx.nn.GroupNorm(2, 6)

    def __call__(self, x):
        x = self.activation(self.blocks[0](self.first(x)))
        return self.head(self.norm(self.blocks[2](self.blocks[1]["down"](x))))


def test_a_converted_network_does_what_one_made_so_does():
    converted, _ = convert_padding(Network(), "repl")
    np.testing.assert_allclose(converted(X), Network("REPLICATE")(X), rtol=1e-4, atol=1e-5)
    assert np.abs(converted(X) - Network()(X)).max() > 1e-2


def test_the_report_lists_every_layer_by_its_path():
    _, report = convert_padding(Network("REFLECT"), "lp2x3")
    assert report.changed == (
        ChangedLayer(".first", "REFLECT", "lp2x3", ((2, 2), (2, 2))),
        ChangedLayer(".blocks[0]", "REFLECT", "lp2x3", "SAME"),
        ChangedLayer(".blocks[1]['down']", "REFLECT", "lp2x3", ((1, 1), (1, 1))),
    )
    assert report.unpadded == (".blocks[2]", ".head")
    assert report.refused == ()
    assert str(report) == (
        "3 changed\n"
        "  model.first: REFLECT -> lp2x3, pad width ((2, 2), (2, 2))\n"
        "  model.blocks[0]: REFLECT -> lp2x3, pad width SAME\n"
        "  model.blocks[1]['down']: REFLECT -> lp2x3, pad width ((1, 1), (1, 1))\n"
        "2 left alone, without padding\n"
        "  model.blocks[2]\n"
        "  model.head\n"
        "0 refused"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.changed = ()


def test_the_original_is_untouched_and_its_arrays_are_shared():
    network = Network()
    converted, _ = convert_padding(network, "repl")
    assert type(network.first) is eqx.nn.Conv2d
    assert converted.first.weight is network.first.weight
    assert all(a is b for a, b in zip(jax.tree.leaves(converted), jax.tree.leaves(network), strict=True))
    assert converted.name == "network"


def test_converting_back_gives_the_first_behaviour():
    there, _ = convert_padding(Network(), "lp2x3")
    back, report = convert_padding(there, "ZEROS")
    assert {(layer.old_mode, layer.new_mode) for layer in report.changed} == {("lp2x3", "zero")}
    np.testing.assert_allclose(back(X), Network()(X), rtol=1e-4, atol=1e-5)


def test_it_works_under_jit_on_shapes_and_on_a_single_layer():
    expected = convert_padding(Network(), "repl")[0](X)
    y = eqx.filter_jit(lambda network, x: convert_padding(network, "repl")[0](x))(Network(), X)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    shapes, report = convert_padding(eqx.filter_eval_shape(Network), "repl")
    assert eqx.filter_eval_shape(shapes, X).shape == expected.shape
    assert len(report.changed) == 3
    layer, report = convert_padding(CONV, "repl")
    assert type(layer) is PaddedConv2d
    assert report.changed[0].path == ""


def test_one_layer_at_two_places_stays_one_layer():
    (a, b), report = convert_padding((CONV, CONV), "repl")
    assert a is b
    assert [layer.path for layer in report.changed] == ["[0]", "[1]"]


@pytest.mark.parametrize(
    ("where", "get"),
    [
        (lambda pair: pair[1].weight, lambda pair: pair[0].weight),
        (lambda pair: pair[1], lambda pair: pair[0]),
    ],
    ids=["weight", "layer"],
)
def test_tied_layers_stay_tied(where, get):
    other = eqx.nn.Conv2d(3, 3, 3, padding=1, key=jax.random.key(1))
    shared, _ = convert_padding(eqx.nn.Shared((CONV, other), where, get), "repl")
    first, second = shared()
    assert type(first) is type(second) is PaddedConv2d
    assert first.weight is second.weight is CONV.weight
    assert second(X).shape == X.shape


def test_layers_with_a_state_inside_wrappers_and_stacked_ones_are_converted():
    class Normed(eqx.Module):
        conv: eqx.nn.WeightNorm
        norm: eqx.nn.BatchNorm

        def __call__(self, x, state):
            return self.norm(self.conv(x), state)

    normed, state = eqx.nn.make_with_state(Normed)(
        eqx.nn.WeightNorm(CONV), eqx.nn.BatchNorm(3, "batch", mode="batch")
    )
    converted, report = convert_padding(normed, "repl")
    assert report.changed[0].path == ".conv.layer"
    y, _ = jax.vmap(converted, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(X[None], state)
    assert y.shape == (1, *X.shape)

    stacked = eqx.filter_vmap(lambda key: eqx.nn.Conv2d(3, 3, 3, padding=1, key=key))(jax.random.split(KEY))
    converted, _ = convert_padding(stacked, "repl")
    assert eqx.filter_vmap(lambda layer: layer(X))(converted).shape == (2, *X.shape)


class Scaled(eqx.nn.Conv2d):
    def __call__(self, x, *, key=None):
        return 2 * super().__call__(x)


REFUSED = {
    "Conv1d": eqx.nn.Conv1d(2, 2, 3, padding=1, key=KEY),
    "Conv3d": eqx.nn.Conv3d(2, 2, 3, padding="SAME", key=KEY),
    "ConvTranspose2d": eqx.nn.ConvTranspose2d(2, 2, 4, 2, padding=1, key=KEY),
    "MaxPool2d": eqx.nn.MaxPool2d(3, 2, padding=1),
    "AvgPool2d": eqx.nn.AvgPool2d(2, 2, use_ceil=True),
    "Scaled": Scaled(2, 2, 3, padding=1, key=KEY),
    "PartialConv2d": PartialConv2d(2, 2, 3, padding=1, key=KEY),
    "Conv2d": eqx.nn.Conv2d(2, 2, 3, padding=((-1, 1), (0, 0)), key=KEY),
}
REMEDY = {
    "Conv1d": "by hand",
    "Conv3d": "by hand",
    "ConvTranspose2d": "jax.image.resize and a Conv2d",
    "MaxPool2d": "padding=0 and use_ceil=False",
    "AvgPool2d": "padding=0 and use_ceil=False",
    "Scaled": "PaddedConv2d.from_convolution",
    "PartialConv2d": "PaddedConv2d.from_convolution",
    "Conv2d": "slice",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_changed_is_refused_by_path_type_and_remedy(name):
    with pytest.raises(ValueError, match=rf"model\['odd'\]\[0\]: {name} .*{REMEDY[name]}[\s\S]*strict=False"):
        convert_padding({"odd": [REFUSED[name]], "conv": CONV}, "repl")


def test_not_strictly_what_cannot_be_changed_is_left_and_listed():
    layers = list(REFUSED.values())
    converted, report = convert_padding([CONV, *layers], "repl", strict=False)
    assert len(report.changed) == 1
    assert [(layer.path, layer.type) for layer in report.refused] == [
        (f"[{i}]", name) for i, name in enumerate(REFUSED, start=1)
    ]
    assert all(new is old for new, old in zip(converted[1:], layers, strict=True))
    assert f"{len(layers)} refused\n  model[1]: Conv1d pads 1 axes" in str(report)


def test_all_refusals_are_told_at_once():
    with pytest.raises(ValueError, match=f"of {len(REFUSED)} layers") as refusal:
        convert_padding(list(REFUSED.values()), "repl")
    assert all(f"model[{i}]: " in str(refusal.value) for i in range(len(REFUSED)))


@pytest.mark.parametrize(
    "layer",
    [
        eqx.nn.Conv2d(2, 2, 3, key=KEY),
        eqx.nn.Conv2d(2, 2, 3, padding="VALID", key=KEY),
        eqx.nn.Conv2d(2, 2, 1, 2, padding="SAME", key=KEY),
        eqx.nn.Conv1d(2, 2, 3, key=KEY),
        eqx.nn.ConvTranspose2d(2, 2, 2, 2, key=KEY),
        eqx.nn.AvgPool2d(2, 2),
        Scaled(2, 2, 3, key=KEY),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_without_padding_are_left_alone(layer):
    converted, report = convert_padding([layer], "lp2x3")
    assert converted[0] is layer
    assert report.unpadded == ("[0]",)


def test_an_unknown_padding_is_refused_even_where_nothing_pads():
    with pytest.raises(ValueError, match="no padding is called 'mirror'"):
        convert_padding(eqx.nn.Linear(2, 2, key=KEY), "mirror")
