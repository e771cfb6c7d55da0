"""Figures and tables of seams, by their scripts, on tables that are known."""

import json
import runpy

import numpy as np
import pandas as pd
import pytest
from tests.helpers import REPOSITORY
from tests.unit.studies.super_resolution.metrics.test_seam_results import network

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.plotting.formatting import MISSING
from spatial_prediction.studies.super_resolution import figures, metrics
from spatial_prediction.tiling import cheapest_strategy

PRESETS = {"repl": 0, "zero_oc5": 5}
TRAINED = {"repl": "repl", "zero_oc5": "zero"}


def run(script, *arguments):
    path = REPOSITORY / "scripts" / "super_resolution" / f"{script}.py"
    runpy.run_path(str(path))["main"]([str(argument) for argument in arguments])


def networks():
    return pd.concat(
        [
            network(1e-4),
            network(3e-4, seed=1),
            network(1e-6, preset="zero_oc5", output_crop=5, strategy="crop", overlap=5, padding="zero"),
            network(4e-3, preset="zero_oc5", output_crop=0, padding="repl"),
        ]
    )


@pytest.fixture
def tables(tmp_path):
    paths = []
    for preset, rows in networks().groupby("preset"):
        paths.append(tmp_path / f"{preset}.parquet")
        rows.to_parquet(paths[-1])
    return paths


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("seams", ["--presets", json.dumps(PRESETS)]),
        ("strategies", []),
        ("transfer", ["--trained", json.dumps(TRAINED)]),
    ],
)
def test_scripts_write_the_figure_and_all_forms_of_the_table(tmp_path, tables, name, settings):
    if name == "strategies":
        rows = pd.read_parquet(tables[0])
        tables[0].unlink()
        exact = network(0.0, strategy="exact", overlap=10)
        pd.concat([rows, exact]).to_parquet(tables[0])
        extra = ["--costs", tmp_path / "costs.csv"]
    else:
        extra = []
    run(f"plot_{name}", "--seams", *tables, *settings, "--figure", tmp_path / name, "--formats", "png")
    run(f"tabulate_{name}", "--seams", *tables, *settings, "--table", tmp_path / name, *extra)
    for suffix in ("png", "csv", "html", "md", "tex"):
        assert (tmp_path / f"{name}.{suffix}").stat().st_size > 0
    if extra:
        costs = pd.read_csv(extra[1])
        of_preset = costs[costs["preset"] == "repl"]
        assert cheapest_strategy(of_preset, tile=48, tolerance=1e-9).measurement.strategy == "exact"


def test_a_line_of_the_figure_has_the_means_of_its_preset_and_ends_where_nothing_is_left():
    table = networks().query("preset == 'repl'")
    deviations = metrics.deviation_by_distance(table, rng_seed=0)
    deviations.loc[deviations["distance"] == 7, "mean"] = 1e-12
    (axes,) = figures.seams(deviations, PRESETS).axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_allclose(lines["repl"].get_xdata(), np.arange(7) + 0.5)
    np.testing.assert_allclose(lines["repl"].get_ydata()[:4], 200)
    assert "zero_oc5 (no run)" in lines


def test_strategies_are_drawn_at_their_cost_and_the_exact_one_as_a_line():
    table = pd.concat(
        [
            network(1e-4),
            network(5e-5, strategy="blend hann", overlap=5),
            network(0.0, strategy="exact", overlap=10),
        ]
    )
    left, right = figures.strategies(metrics.strategy_costs(table, rng_seed=0)).axes
    lines = {line.get_label(): line for line in left.get_lines()}
    (cost,) = lines["Hann blend"].get_xdata()
    assert cost == pytest.approx((58 / 48) ** 2)
    assert lines["exact: no seam"].get_xdata()[0] == pytest.approx((68 / 48) ** 2)
    assert {line.get_label() for line in right.get_lines()} == set(lines)


def test_the_map_of_exchanged_paddings_has_every_number_and_frames_the_own():
    results = metrics.transfer_results(networks(), TRAINED, rng_seed=0)
    figure = figures.transfer(results, TRAINED)
    left = figure.axes[0]
    assert [label.get_text() for label in left.get_yticklabels()] == [
        "repl", "zero_oc5", "zero_oc5, cropped by 5 px",
    ]  # fmt: skip
    columns = [label.get_text() for label in left.get_xticklabels()]
    numbers = {text.get_position(): text.get_text() for text in left.texts}
    assert len(numbers) == 6
    assert numbers[columns.index("zero"), 0] == MISSING, "repl was never given zero"
    frames = {(round(frame.get_x() + 0.5), round(frame.get_y() + 0.5)) for frame in left.patches}
    assert frames == {(columns.index("repl"), 0), (columns.index("zero"), 1), (columns.index("zero"), 2)}


def test_tables_have_the_numbers_in_units_of_a_millionth():
    results = metrics.seam_results(networks(), ["preset"], rng_seed=0)
    cells = figures.seam_table(results, PRESETS).cells.set_index("Preset")
    assert cells.loc["repl", "within 1 px of a seam (10⁻⁶)"].startswith("200.0 ± ")
    assert cells.loc["repl", "Visible seams (%)"] == "50"
    rows = figures.transfer_table(metrics.transfer_results(networks(), TRAINED, rng_seed=0), TRAINED).cells
    assert rows["Padding of tiles"].tolist() == ["repl *", "repl", "zero *"]
    assert rows["MSE in shell 0 (10⁻⁶)"].tolist()[1:] == ["4200", "201.0"]


def test_presets_without_a_run_stand_in_the_table_and_empty_figures_say_so():
    none = networks().iloc[:0]
    cells = figures.seam_table(metrics.seam_results(none, ["preset"], rng_seed=0), PRESETS).cells
    assert cells["Deviation (10⁻⁶)"].tolist() == [MISSING, MISSING]
    drawn = [
        figures.seams(metrics.deviation_by_distance(none, rng_seed=0), PRESETS),
        figures.strategies(metrics.strategy_costs(none, rng_seed=0)),
        figures.transfer(metrics.transfer_results(none, TRAINED, rng_seed=0), TRAINED),
    ]
    for figure in drawn:
        assert "no successful run" in {text.get_text() for axes in figure.axes for text in axes.texts}


@pytest.mark.parametrize("text", ["{}", '{"repl": 3}', "[]", "repl"])
def test_faulty_trained_paddings_are_named(tmp_path, tables, text):
    with pytest.raises(ConfigurationError, match="--trained"):
        run("plot_transfer", "--seams", *tables, "--trained", text, "--figure", tmp_path / "x")
