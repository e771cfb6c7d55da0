"""Tables of the study: bits per sample, and what they cost in time and memory."""

import numpy as np
import pandas as pd

from spatial_prediction.plotting import formatting
from spatial_prediction.plotting.table_files import Table
from spatial_prediction.studies.compression.figures import looks
from spatial_prediction.studies.compression.results import lossless, standard_rate

MEBIBYTE = 2**20

NOT_TRAINED = "nothing"
"""What a codec without a network was trained on."""


def rate_table(measurements: pd.DataFrame) -> Table:
    """Tabulate bits per sample, a row for each cube and codec, a column for each largest error.

    What was not restored within the error is in bold, and a warning says how many there are.
    """
    deltas = sorted(set(measurements["delta"]))
    rows: list[dict[str, str]] = []
    warned = set()
    for cube in dict.fromkeys(measurements["cube"]):
        standard = standard_rate(measurements, cube)
        for codec, own in _by_rate(measurements, cube):
            for delta in deltas:
                if delta in own.index and not own.loc[delta, "verified"]:
                    warned.add((len(rows), _delta_header(delta)))
            counted = int(own["model_bytes"].max())
            rate = own["bits_per_sample"].get(0, np.nan)
            rows.append(
                {
                    "Cube": cube,
                    "Codec": looks.label(codec),
                    **{
                        _delta_header(delta): formatting.number(own["bits_per_sample"].get(delta, np.nan), 3)
                        for delta in deltas
                    },
                    "Against CCSDS-123, %": _signed(100 * (rate / standard - 1)),
                    "Trained on": own["trained_on"].iloc[0] or NOT_TRAINED,
                    "Parameters counted, bytes": str(counted),
                }
            )
    cells = pd.DataFrame(rows)
    failed = measurements[~measurements["verified"]]
    left = {"Cube": "left", "Codec": "left", "Trained on": "long"}
    return Table(
        cells=cells,
        alignment={header: left.get(header, "right") for header in cells.columns},
        caption="Bits per sample, all streams, headers and indices counted.",
        notes=(
            "Columns are largest errors of a sample, in DN; 0 is lossless. Predictors of this package "
            "quantise inside the loop of prediction; the others code samples that were quantised beforehand.",
            "Every stream was decoded, and the cube compared with the original.",
            "The bytes of a network count in the rate of a cube that it has or may have seen, in no other.",
            "CCSDS-123 stands for CCSDS 123.0-B-2 with its default parameters, lossless.",
        ),
        warned=frozenset(warned),
        warnings=tuple(
            f"{row.cube}, {looks.label(str(row.codec))}, largest error {row.delta}: {row.status}."
            for row in failed.itertuples()
        ),
    )


def cost_table(measurements: pd.DataFrame) -> Table:
    """Tabulate bytes, speed and memory of lossless coding, a row for each cube and codec."""
    rows = []
    for cube in dict.fromkeys(measurements["cube"]):
        for _, row in lossless(measurements, cube).iterrows():
            samples = row["rows"] * row["columns"] * row["bands"]
            speeds = {
                f"{way}, million samples/s": formatting.number(samples / row[f"{key}_seconds"] / 1e6, 2)
                for way, key in (("Encoding", "encode"), ("Decoding", "decode"))
            }
            memory = {
                f"{way}, MiB": formatting.number(row[f"{key}_memory"] / MEBIBYTE, 1)
                for way, key in (("Encoding", "encode"), ("Decoding", "decode"))
            }
            rows.append(
                {
                    "Cube": cube,
                    "Codec": looks.label(row["codec"]),
                    "Bits per sample": formatting.number(row["bits_per_sample"], 3),
                    "Streams, bytes": str(row["stream_bytes"]),
                    "Whole, bytes": str(row["container_bytes"]),
                    **speeds,
                    **memory,
                }
            )
    cells = pd.DataFrame(rows)
    return Table(
        cells=cells,
        alignment={header: "left" if header in ("Cube", "Codec") else "right" for header in cells.columns},
        caption="What lossless coding costs on one core.",
        notes=(
            "Speeds are by processor time, the fastest of several calls; nothing is compiled in it.",
            "Memory is by how much the process grew while it coded, beside the cube itself; an en dash where "
            "the system does not say.",
        ),
    )


def _by_rate(measurements: pd.DataFrame, cube: str) -> list[tuple[str, pd.DataFrame]]:
    """Rows of each codec on a cube by largest error; the fewest lossless bits first."""
    table = measurements[measurements["cube"] == cube]
    ordered = dict.fromkeys([*lossless(measurements, cube)["codec"], *table["codec"]])
    return [(codec, table[table["codec"] == codec].set_index("delta")) for codec in ordered]


def _delta_header(delta: int) -> str:
    return f"± {delta}" if delta else "lossless"


def _signed(value: float) -> str:
    return formatting.MISSING if np.isnan(value) else f"{value:+.2f}"
