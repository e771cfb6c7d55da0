"""Seams summed up over distances, scenes and seeds, against sums by hand."""

import numpy as np
import pandas as pd
import pytest

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution import metrics
from spatial_prediction.studies.super_resolution.metrics import seams
from spatial_prediction.studies.super_resolution.metrics.seam_results import seam_figures
from spatial_prediction.tiling import cheapest_strategy

SHELL = 4
RUN = {"preset": "repl", "seed": 0, "padding": "repl", "output_crop": 0}
RUN |= {"strategy": "padding", "tile": 48, "overlap": 0, "scene": 0}


def rows(*numbers, **about):
    """Rows of (quantity, distance, value, pixel_count)."""
    table = pd.DataFrame(numbers, columns=["quantity", "distance", "value", "pixel_count"])
    return table.assign(**RUN | about)


def network(deviation=1e-4, **about):
    """All rows of a network in one scene: two shells of four distances, the second a quarter of the first."""
    by_distance = [
        (quantity, distance, size * (1.0 if distance < SHELL else 0.25), 10 - distance)
        for quantity, size in (("deviation", deviation), ("error", 2e-4 + deviation), ("error_untiled", 2e-4))
        for distance in range(8)
    ]
    work = ((48 + 2 * about.get("overlap", 0)) / 48) ** 2
    scene = dict.fromkeys(seams.OF_SCENE, 0.5) | {"relative_work": work, "worst": deviation}
    return rows(*by_distance, *((name, -1, value, 100) for name, value in scene.items()), **about)


def test_means_are_over_pixels_not_over_distances_or_scenes():
    table = pd.concat(
        [
            rows(("deviation", 0, 1.0, 3), ("deviation", 4, 5.0, 1)),
            rows(("deviation", 0, 2.0, 1), ("deviation", 4, 5.0, 1), scene=1),
        ]
    )
    assert seams.over_all(table, ["preset"])["value"].tolist() == [(3 + 5 + 2 + 5) / 6]
    shells = seams.by_shell(table, ["preset"], shell=SHELL)
    assert dict(zip(shells["shell"], shells["value"], strict=True)) == {0: 5 / 4, 1: 5.0}
    distances = seams.by_distance(table, ["preset"])
    assert dict(zip(distances["distance"], distances["value"], strict=True)) == {0: 5 / 4, 4: 5.0}


def test_the_worst_of_scenes_is_the_greatest_and_all_else_their_mean():
    table = pd.concat([rows(("worst", -1, 1.0, 1), ("visible", -1, 0.0, 1)),
                       rows(("worst", -1, 3.0, 1), ("visible", -1, 1.0, 1), scene=1)])  # fmt: skip
    assert seams.of_scenes(table, ["preset"], "worst")["value"].tolist() == [3.0]
    assert seams.of_scenes(table, ["preset"], "visible")["value"].tolist() == [0.5]


def test_figures_of_a_run_have_the_outermost_shell_and_the_error_against_untiled():
    (figures,) = seam_figures(network(), ["preset"]).to_dict("records")
    counts = 10 - np.arange(8)
    weights = np.where(np.arange(8) < SHELL, 1, 0.25)
    mean = (weights * counts).sum() / counts.sum()
    assert figures["outermost"] == pytest.approx(1e-4)
    assert figures["deviation"] == pytest.approx(1e-4 * mean)
    assert figures["error_percent"] == pytest.approx(50)
    assert figures["step_ratio"] == 1


def test_results_are_over_seeds():
    table = pd.concat([network(1e-4), network(3e-4, seed=1)])
    results = metrics.seam_results(table, ["preset"], rng_seed=0).set_index("quantity")
    assert results.loc["outermost", "mean"] == pytest.approx(2e-4)
    assert 1e-4 <= results.loc["outermost", "low"] < results.loc["outermost", "high"] <= 3e-4
    assert results.loc["outermost", "seeds"] == 2


def test_a_table_without_tile_mismatch_has_none_and_all_else():
    table = network()
    left = table[table["quantity"] != "tile_mismatch"]
    quantities = set(metrics.seam_results(left, ["preset"], rng_seed=0)["quantity"])
    full = set(metrics.seam_results(table, ["preset"], rng_seed=0)["quantity"])
    assert full - quantities == {"tile_mismatch"}


def test_the_planner_chooses_from_the_costs():
    table = pd.concat(
        [network(1e-4), network(2e-5, strategy="crop", overlap=5), network(0.0, strategy="exact", overlap=10)]
    )
    costs = metrics.strategy_costs(table, rng_seed=0)
    assert costs["strategy"].tolist() == ["padding", "crop", "exact"], "the cheapest first"
    assert costs["relative_cost"].tolist() == pytest.approx([1, (58 / 48) ** 2, (68 / 48) ** 2])
    chosen = cheapest_strategy(costs, tile=48, tolerance=5e-5).measurement
    assert (chosen.strategy, chosen.overlap) == ("crop", 5)


def test_exchanged_paddings_are_kept_apart_by_crop_and_shell():
    table = pd.concat(
        [
            network(1e-4, padding="zero"),
            network(3e-4, padding="zero", output_crop=5),
            network(1e-4, preset="other"),
        ]
    )
    results = metrics.transfer_results(table, ["repl"], rng_seed=0)
    assert set(results["preset"]) == {"repl"}
    of = results.set_index(["output_crop", "padding", "quantity"])["mean"]
    assert of[0, "zero", "shell_0"] == pytest.approx(3e-4)
    assert of[5, "zero", "shell_0"] == pytest.approx(5e-4)
    assert of[5, "zero", "shell_1"] == pytest.approx(1.25e-4)


def test_the_same_network_twice_is_refused_and_so_is_no_table(tmp_path):
    path = tmp_path / "repl.parquet"
    network().to_parquet(path)
    assert len(metrics.read_seams([path])) == len(network())
    with pytest.raises(ConfigurationError, match="a network is in two of these tables"):
        metrics.read_seams([path, path])
    with pytest.raises(ConfigurationError, match="name at least one"):
        metrics.read_seams([])
