"""Seams summarised over scenes and seeds, for figures and tables."""

from collections.abc import Iterable, Sequence

import pandas as pd

from spatial_prediction.statistics.intervals import intervals_by
from spatial_prediction.studies.super_resolution.config import UPSCALE_FACTOR
from spatial_prediction.studies.super_resolution.metrics import seams


def seam_figures(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Give one number for each run and quantity, over all scenes.

    Args:
        table: as ``read_seams`` returns it.
        keys: columns besides seed that distinguish the results, such as preset.

    Returns:
        Columns ``keys``, seed, and one for each quantity: those of ``BY_DISTANCE``, over all pixels;
        ``outermost``, the deviation within one input pixel of a seam; ``error_percent``, how much greater
        the error is than that of the untiled prediction; those of ``OF_SCENE`` that the table has;
        ``step_ratio``, the step across a seam over that beside it.
    """
    of = [*keys, "seed"]
    shells = seams.by_shell(table, of, shell=UPSCALE_FACTOR)
    columns = {name: seams.over_all(table, of, quantity=name) for name in seams.BY_DISTANCE}
    columns["outermost"] = shells[shells["shell"] == 0]
    columns |= {name: seams.of_scenes(table, of, name) for name in seams.OF_SCENE}
    figures = pd.DataFrame({name: rows.set_index(of)["value"] for name, rows in columns.items()})
    figures["error_percent"] = 100 * (figures["error"] / figures["error_untiled"] - 1)
    figures["step_ratio"] = figures["step_across"] / figures["step_beside"]
    return figures.reset_index()


def seam_results(table: pd.DataFrame, keys: Sequence[str], *, rng_seed: int) -> pd.DataFrame:
    """Summarise every quantity of :func:`seam_figures` over seeds.

    Args:
        table: as ``read_seams`` returns it.
        keys: columns that distinguish the results, such as preset.
        rng_seed: seed of the bootstrap.

    Returns:
        Columns ``keys``, quantity, mean, low, high, seeds.
    """
    long = seam_figures(table, keys).melt([*keys, "seed"], var_name="quantity").dropna()
    return intervals_by(long, [*keys, "quantity"], "value", rng_seed=rng_seed)


def deviation_by_distance(table: pd.DataFrame, *, rng_seed: int) -> pd.DataFrame:
    """Mean square deviation by distance from the seam: columns preset, distance, mean, low, high, seeds."""
    runs = seams.by_distance(table, ["preset", "seed"])
    return intervals_by(runs, ["preset", "distance"], "value", rng_seed=rng_seed)


def strategy_costs(table: pd.DataFrame, *, rng_seed: int) -> pd.DataFrame:
    """Error against compute: what ``tiling.cheapest_strategy`` chooses from, one preset at a time.

    Args:
        table: as ``read_seams`` returns it, of the stage that compares strategies.
        rng_seed: seed of the bootstrap.

    Returns:
        Columns preset, tile, strategy, overlap; relative_cost, pixels read for each that is kept;
        seam_deviation, seam_deviation_low, seam_deviation_high; error_percent, error_percent_low,
        error_percent_high; visible, the share of seams that are. The cheapest first.
    """
    keys = ["preset", "tile", "strategy", "overlap"]
    results = seam_results(table, keys, rng_seed=rng_seed)
    wide = results.pivot(index=keys, columns="quantity", values=["mean", "low", "high"])
    shown = ["relative_work", "deviation", "error_percent", "visible"]
    wide = wide.reindex(columns=pd.MultiIndex.from_product([["mean", "low", "high"], shown]))
    costs = {"relative_cost": wide["mean", "relative_work"]}
    for quantity, name in (("deviation", "seam_deviation"), ("error_percent", "error_percent")):
        costs[name] = wide["mean", quantity]
        costs |= {f"{name}_{end}": wide[end, quantity] for end in ("low", "high")}
    costs["visible"] = wide["mean", "visible"]
    return pd.DataFrame(costs).reset_index().sort_values(["preset", "relative_cost"], ignore_index=True)


def transfer_results(table: pd.DataFrame, presets: Iterable[str], *, rng_seed: int) -> pd.DataFrame:
    """Seam deviation and error by shell, for each network and each padding that it was given.

    Args:
        table: as ``read_seams`` returns it, of the stage that exchanges paddings.
        presets: names of presets; rows of others are left out.
        rng_seed: seed of the bootstrap.

    Returns:
        Columns preset, output_crop (of the tiles), padding (that was given), quantity (``deviation``,
        ``error``, and ``shell_0`` and so on, the error in a shell), mean, low, high, seeds; paddings in the
        order of the table.
    """
    keys = ["preset", "output_crop", "padding"]
    of = [*keys, "seed"]
    known = table[table["preset"].isin(list(presets))]
    shells = seams.by_shell(known, of, shell=UPSCALE_FACTOR, quantity="error")
    parts = [
        *(seams.over_all(known, of, quantity=name).assign(quantity=name) for name in ("deviation", "error")),
        shells.assign(quantity="shell_" + shells["shell"].astype(str)).drop(columns="shell"),
    ]
    results = intervals_by(pd.concat(parts), [*keys, "quantity"], "value", rng_seed=rng_seed)
    order = list(known["padding"].unique())
    return results.sort_values("padding", key=lambda names: names.map(order.index), kind="stable")
