"""Tables of seams: numbers in, formatted text out."""

import math
from collections.abc import Mapping

import pandas as pd

from spatial_prediction.plotting import formatting
from spatial_prediction.plotting.table_files import Table
from spatial_prediction.studies.super_resolution.figures import looks
from spatial_prediction.studies.super_resolution.figures.tables import INTERVAL_NOTE

UNDEFINED = (math.nan,) * 3

OWN_NOTE = "* marks the padding that the network was trained with."
DEVIATION_NOTE = (
    "Deviation: mean square deviation of the tiled from the untiled prediction by the same network, with "
    "the padding it was trained with, of data scaled to [-1, 1], over an inner tile."
)


def seam_table(results: pd.DataFrame, presets: Mapping[str, int]) -> Table:
    """Show what happens at seams, a row for each preset.

    Args:
        results: columns preset, quantity, mean, low, high, as ``metrics.seam_results`` returns them.
        presets: output crop of each preset, in the order of the rows.
    """
    by_place = _by_place(results, ["preset"])

    def cell(preset: str, quantity: str, unit: float = looks.MSE_UNIT) -> str:
        return formatting.interval(*by_place.get((preset, quantity), UNDEFINED), unit=unit)

    def percent(preset: str, quantity: str) -> str:
        return formatting.number(100 * by_place.get((preset, quantity), UNDEFINED)[0], 0)

    rows = [
        {
            "Preset": preset,
            "Output crop (px)": str(crop),
            "Relative compute": formatting.number(by_place.get((preset, "relative_work"), UNDEFINED)[0], 2),
            "Deviation (10⁻⁶)": cell(preset, "deviation"),
            "within 1 px of a seam (10⁻⁶)": cell(preset, "outermost"),
            "where four tiles meet (10⁻⁶)": cell(preset, "crossing"),
            "4 x MSE, its bound (10⁻⁶)": cell(preset, "bound"),
            "Worst": cell(preset, "worst", 1.0),
            "Step across / beside": cell(preset, "step_ratio", 1.0),
            "Visible seams (%)": percent(preset, "visible"),
            "Visible where untiled (%)": percent(preset, "visible_untiled"),
            "Tile mismatch (10⁻⁶)": cell(preset, "tile_mismatch"),
            "MSE v untiled (%)": formatting.percent(*by_place.get((preset, "error_percent"), UNDEFINED)),
        }
        for preset, crop in presets.items()
    ]
    cells = pd.DataFrame(rows, dtype="object")
    return Table(
        cells=cells,
        alignment={header: "left" if header == "Preset" else "right" for header in map(str, cells)},
        caption="What happens where tiles meet, by preset.",
        notes=(
            DEVIATION_NOTE,
            "Tiles read as much as in training, and overlap by twice the output crop. Where four tiles "
            "meet: within 1 px of both seams. Worst: the greatest absolute deviation of the test scenes.",
            "Visible: the step across the seam, less those beside it, is greater than at 95 % of the other "
            "lines between input pixels; about 5 % are where nothing was tiled.",
            "Tile mismatch: mean square deviation of two tiles that keep half of their columns in common.",
            INTERVAL_NOTE,
        ),
    )


def strategy_table(costs: pd.DataFrame) -> Table:
    """Show deviation and error of strategies of tiling against what they compute.

    Args:
        costs: as ``metrics.strategy_costs`` returns them.
    """
    headers = [
        "Preset", "Strategy", "Overlap (px)", "Relative compute", "Deviation (10⁻⁶)", "Visible seams (%)",
        "MSE v untiled (%)",
    ]  # fmt: skip
    rows = [
        (
            row["preset"],
            row["strategy"],
            str(row["overlap"]),
            formatting.number(row["relative_cost"], 2),
            formatting.interval(*_ends(row, "seam_deviation"), unit=looks.MSE_UNIT),
            formatting.number(100 * row["visible"], 0),
            formatting.percent(*_ends(row, "error_percent")),
        )
        for row in costs.to_dict("records")
    ]
    return Table(
        cells=pd.DataFrame(rows, columns=headers, dtype="object"),
        alignment={header: "left" if header in headers[:2] else "right" for header in headers},
        caption="Deviation and error at seams against compute, by strategy of tiling.",
        notes=(
            DEVIATION_NOTE,
            "Overlap: input pixels that a tile reads beyond what it keeps, on each side. Relative "
            "compute: pixels read for each that is kept.",
            INTERVAL_NOTE,
        ),
    )


def transfer_table(results: pd.DataFrame, trained: Mapping[str, str]) -> Table:
    """Show what networks do with paddings that they were not trained with.

    Args:
        results: as ``metrics.transfer_results`` returns them.
        trained: padding that each preset was trained with, in the order of the rows.
    """
    keys = ["preset", "output_crop", "padding"]
    by_place = _by_place(results, keys)
    quantities = {
        "MSE in shell 0 (10⁻⁶)": "shell_0",
        "shell 1 (10⁻⁶)": "shell_1",
        "shell 2 (10⁻⁶)": "shell_2",
        "whole tile (10⁻⁶)": "error",
        "Deviation (10⁻⁶)": "deviation",
    }
    places = results[keys].drop_duplicates()
    rows = [
        {
            "Trained as": preset,
            "Tiles cropped by (px)": str(crop),
            "Padding of tiles": f"{padding} *" if trained[preset] == padding else padding,
        }
        | {
            header: formatting.interval(
                *by_place.get((preset, crop, padding, quantity), UNDEFINED), unit=looks.MSE_UNIT
            )
            for header, quantity in quantities.items()
        }
        for preset in trained
        for _, crop, padding in places[places["preset"] == preset].itertuples(index=False)
    ]
    headers = ["Trained as", "Tiles cropped by (px)", "Padding of tiles", *quantities]
    return Table(
        cells=pd.DataFrame(rows, columns=headers, dtype="object"),
        alignment={header: "left" if header in (headers[0], headers[2]) else "right" for header in headers},
        caption="Networks given other paddings than they were trained with.",
        notes=(
            OWN_NOTE,
            "Shell 0 is the ring of one input pixel next to the seam.",
            DEVIATION_NOTE,
            INTERVAL_NOTE,
        ),
    )


def _by_place(results: pd.DataFrame, keys: list[str]) -> dict[tuple, tuple[float, float, float]]:
    numbers = results[["mean", "low", "high"]].itertuples(index=False, name=None)
    names = results[[*keys, "quantity"]].itertuples(index=False, name=None)
    return dict(zip(names, numbers, strict=True))


def _ends(row: Mapping, name: str) -> tuple[float, float, float]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]
