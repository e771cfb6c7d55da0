"""Tiles that meet in the middle of a scene: what is cut, what is put together, what is written."""

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from tests.seam_scenes import LOW_RES_SIZE, write_network, write_scenes

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.models import load_network
from spatial_prediction.studies.super_resolution import metrics
from spatial_prediction.studies.super_resolution.metrics.seam_results import seam_figures
from spatial_prediction.studies.super_resolution.metrics.seams import BY_DISTANCE, OF_SCENE
from spatial_prediction.studies.super_resolution.stages.seams import (
    Seam,
    SeamScenes,
    evaluate_seams,
    evaluate_strategies,
    evaluate_transfer,
)
from spatial_prediction.tiling import Strategy

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("seams")


@pytest.fixture(scope="module")
def scenes(folder):
    test, summary = write_scenes(folder)
    return SeamScenes(test=test, summary=summary, low_res_size=LOW_RES_SIZE, scenes=3)


def read(evaluate, models, scenes, **settings):
    output = models[0].with_suffix(".parquet")
    evaluate(models, scenes, output=output, **settings)
    return metrics.read_seams([output])


def figures(table, *keys):
    return seam_figures(table, [*keys])


@pytest.mark.parametrize("overlap", [0, 1, 3, 7])
def test_tiles_of_a_scene_put_together_are_the_scene(overlap):
    scene = np.random.default_rng(0).normal(size=(31, 30, 3)).astype(np.float32)
    strategies = [Strategy.cropped(overlap), Strategy.exact(overlap)]
    strategies += [Strategy.blended(overlap, curve="hann", fade=min(overlap, 3))]
    strategies += [Strategy.blended(min(overlap, 3), curve="gaussian")]
    for strategy in strategies:
        seam = Seam(strategy, tile=6, factor=2)
        windows = seam.windows(scene)
        assert {window.shape for window in windows} == {(6 + 2 * seam.overlap, 6 + 2 * seam.overlap, 3)}
        twice = [window.repeat(2, axis=0).repeat(2, axis=1) for window in windows]
        whole = scene.repeat(2, axis=0).repeat(2, axis=1)
        assert seam.middle(whole).shape == (12, 12, 3)
        np.testing.assert_allclose(seam.stitched(twice), seam.middle(whole), rtol=1e-6, atol=1e-6)


def test_tiles_that_abut_are_cut_where_they_meet_and_nowhere_mixed():
    scene = np.zeros((30, 30, 1), np.float32)
    seam = Seam(Strategy.abutting(), tile=8, factor=2)
    marked = [np.full((16, 16, 1), number, np.float32) for number in range(4)]
    assert len(seam.windows(scene)) == 4
    expected = np.kron([[0, 1], [2, 3]], np.ones((8, 8)))
    np.testing.assert_array_equal(seam.stitched(marked)[..., 0], expected)


def test_every_quantity_is_written_of_every_network_and_scene(folder, scenes):
    models = [write_network(folder, "zero", seed=seed) for seed in (0, 1)]
    table = read(evaluate_seams, models, scenes)
    assert set(table["quantity"]) == {*BY_DISTANCE, *OF_SCENE}
    assert set(table["seed"]) == {0, 1}
    assert set(table["scene"]) == {0}, "there is one, though three are asked for"
    assert set(table[["tile", "overlap", "strategy", "padding"]].itertuples(index=False, name=None)) == {
        (LOW_RES_SIZE, 0, "padding", "zero")
    }
    assert table["value"].notna().all()


def test_the_deviation_is_that_from_the_same_network_on_the_whole_scene(folder, scenes):
    path = write_network(folder, "lp1x1cs", seed=3)
    table = read(evaluate_seams, [path], scenes)
    network = load_network(path)
    ((low_res, _),) = scenes.pairs(4)
    whole = np.asarray(network.apply(jnp.asarray(low_res)[None]))[0]
    centre, size = low_res.shape[0] // 2, LOW_RES_SIZE
    halves = slice(centre - size, centre), slice(centre, centre + size)
    rows = []
    for row in halves:
        tiles = [np.asarray(network.apply(jnp.asarray(low_res[row, column])[None]))[0] for column in halves]
        rows.append(np.concatenate(tiles, axis=1))
    kept = slice(2 * size, 6 * size)
    tiled = np.concatenate(rows)[kept, kept]
    start = 4 * (centre - size // 2)
    inner = whole[start : start + 4 * size, start : start + 4 * size]
    (deviation,) = figures(table, "preset")["deviation"]
    assert deviation == pytest.approx(np.mean((tiled - inner) ** 2), rel=1e-4)
    assert deviation > 0


def test_a_preset_with_an_output_crop_overlaps_and_deviates_less(folder, scenes):
    table = pd.concat(
        read(evaluate_seams, [write_network(folder, "zero", output_crop=crop)], scenes) for crop in (0, 2)
    )
    assert set(table[["output_crop", "tile", "overlap"]].itertuples(index=False, name=None)) == {
        (0, LOW_RES_SIZE, 0),
        (2, LOW_RES_SIZE - 4, 2),
    }
    whole, cropped = figures(table, "output_crop").sort_values("output_crop")["deviation"]
    assert 0 < cropped < whole


def test_strategies_end_where_tiles_have_no_seam(folder, scenes):
    table = read(
        evaluate_strategies, [write_network(folder, "repl", seed=5)], scenes,
        overlaps=[2, 10], curves=["hann", "gaussian"],
    )  # fmt: skip
    costs = metrics.strategy_costs(table, rng_seed=0).set_index(["strategy", "overlap"])
    assert set(costs.index) == {("padding", 0), ("exact", 10)} | {
        (name, overlap) for name in ("crop", "blend hann", "blend gaussian") for overlap in (2, 10)
    }
    assert costs.loc[("padding", 0), "relative_cost"] == 1
    assert costs.loc[("exact", 10), "relative_cost"] == (44 / 24) ** 2
    deviation = costs["seam_deviation"]
    assert deviation["exact", 10] == pytest.approx(0, abs=1e-10)
    assert deviation["crop", 10] == deviation["exact", 10]
    assert deviation["exact", 10] < deviation["crop", 2] < deviation["padding", 0]
    assert (costs.loc[("exact", 10), "error_percent"]) == pytest.approx(0, abs=1e-3)


def test_a_network_given_its_own_padding_does_as_before_and_with_another_it_does_worse(folder, scenes):
    path = write_network(folder, "repl", output_crop=2, seed=7)
    before = figures(read(evaluate_seams, [path], scenes), "preset")["deviation"][0]
    table = read(evaluate_transfer, [path], scenes, paddings=["zero", "repl"])
    after = figures(table, "padding", "output_crop").set_index(["padding", "output_crop"])["deviation"]
    assert set(after.index) == {(padding, crop) for padding in ("zero", "repl") for crop in (0, 2)}
    assert after["repl", 2] == pytest.approx(before, rel=1e-4)
    assert after["zero", 2] > after["repl", 2]
    assert after["zero", 0] > after["zero", 2]


def test_a_network_with_a_trained_border_can_be_given_another(folder, scenes):
    path = write_network(folder, "lp2x3_learned", seed=8)
    table = read(evaluate_transfer, [path], scenes, paddings=["repl"])
    assert set(table["padding"]) == {"repl"}


def test_an_unknown_padding_is_refused(folder, scenes):
    with pytest.raises(ConfigurationError, match="'wavelet'"):
        read(evaluate_transfer, [write_network(folder, "zero")], scenes, paddings=["wavelet"])


def test_diverged_runs_add_no_rows(folder, scenes):
    path = write_network(folder, "zero", seed=9, status="diverged")
    assert read(evaluate_seams, [path], scenes).empty
    assert read(evaluate_transfer, [path], scenes, paddings=["zero"]).empty


@pytest.mark.parametrize("side", [200, 232, 512])
def test_tiles_are_as_large_as_in_training_or_as_fit(tmp_path, side):
    np.save(tmp_path / "test.npy", np.zeros((1, side, side, 3), np.int16))
    scenes = SeamScenes(test=tmp_path / "test.npy", summary=tmp_path / "x", low_res_size=48, scenes=1)
    ((low_res, _),) = scenes.pairs(4)
    for beyond in (0, 10):
        tile = scenes.tile(beyond=beyond)
        seam = Seam(Strategy.cropped(beyond), tile, 4)
        shapes = {window.shape for window in seam.windows(low_res)}
        assert shapes == {(tile + 2 * beyond, tile + 2 * beyond, 3)}
        assert tile == 48 or 2 * (tile + beyond) + 4 > low_res.shape[0]
