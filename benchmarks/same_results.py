"""Claim: the results of a study are the same, to rounding, by the kernels and by XLA, and before a change.

Makes a short padding study, two presets of 24 steps, from scenes to evaluation by Snakemake: with the
compiled kernels and without them, or by this checkout and by another one. Prints the greatest difference of
each column of its tables, relative to the column's largest value. Training amplifies rounding, so differences
grow with the number of steps. A run of another checkout whose kernels are not compiled is by XLA.

  python benchmarks/same_results.py
  python benchmarks/same_results.py --before CHECKOUT
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet

HERE = Path(__file__).parents[1]
TABLES = ("history", "mse", "nmse")
PRESETS = ["zero-repl", "lp2x3"]


def overlay(steps: int) -> dict[str, object]:
    """Return what differs from the default study."""
    return {
        "presets": PRESETS,
        "seeds": [0],
        "dataset": {"synthetic": {"scenes": 8}, "test_scenes": 2},
        "training": {
            "steps": steps,
            "warmup_steps": steps // 6,
            "decay_start": 2 * steps // 3,
            "test_every": steps // 3,
            "checkpoint_every": steps,
        },
        "evaluation": {"nmse_presets": PRESETS, "nmse_paddings": ["zero", "lp2x3"]},
        "seams": {"presets": "all", "transfer_presets": "all", "transfer_paddings": ["zero", "lp2x3"]},
        "timing": {"presets": PRESETS},
        "figures": {"baselines": {"0": PRESETS[0]}, "sample_scenes": [0]},
    }


def made(checkout: Path, steps: int, environment: dict[str, str]) -> dict[str, dict[str, np.ndarray]]:
    """Make the study by the rules of a checkout; return the columns of its tables."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "short.json")
        configuration.write_text(json.dumps(overlay(steps)))
        command = [sys.executable, "-m", "snakemake", "--snakefile", checkout / "Snakefile", "--cores", "1"]
        command += ["--directory", folder, "--until", "gather_evaluation"]
        command += ["--configfile", checkout / "config.yaml", configuration]
        environment = {**os.environ, "PYTHONPATH": f"{checkout}/src", **environment}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True)
        if ended.returncode:
            raise SystemExit(f"the study of {checkout} failed:\n{ended.stderr[-3000:]}")
        paths = {table: f"{folder}/results/evaluation/{table}.parquet" for table in TABLES}
        tables = {table: pyarrow.parquet.read_table(path) for table, path in paths.items()}
    return {
        name: {column: table[column].to_numpy() for column in table.column_names}
        for name, table in tables.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="another checkout of this package")
    parser.add_argument("--steps", type=int, default=24)
    options = parser.parse_args()
    if options.before:
        others = made(options.before.resolve(), options.steps, {})
    else:
        others = made(HERE, options.steps, {"SPATIAL_PREDICTION_NATIVE": "0"})
    for table, columns in made(HERE, options.steps, {}).items():
        for name, values in columns.items():
            other = others[table][name]
            if values.dtype.kind != "f":
                if not np.array_equal(values, other):
                    raise SystemExit(f"{table}, {name}: the rows are not the same")
                continue
            known = np.isfinite(other)
            if not np.array_equal(known, np.isfinite(values)):
                raise SystemExit(f"{table}, {name}: other rows have no value")
            difference = np.abs(values - other)[known].max() / np.abs(other[known]).max()
            print(f"{table}, {name}: {known.sum()} values differ by at most {difference:.1e}")


if __name__ == "__main__":
    main()
