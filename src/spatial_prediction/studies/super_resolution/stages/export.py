"""Stage: split the result of a training run."""

from pathlib import Path

import pandas as pd

from spatial_prediction import files
from spatial_prediction.named_arrays import load_arrays, save_arrays
from spatial_prediction.studies.super_resolution.stages.tables import write_table


def export_run(training: Path, *, model: Path, history: Path, run: Path) -> None:
    """Split a training result into weights (safetensors), history (Parquet) and run record (JSON).

    A diverged run's model file holds no arrays; its header says so.
    """
    arrays, header = load_arrays(training)
    past = {name: arrays.pop(name) for name in list(arrays) if name.startswith("history.")}
    record = header["run"]
    table = pd.DataFrame(
        {
            "preset": record["preset"],
            "seed": record["seed"],
            "step": past["history.step"],
            "train_loss": past["history.train_loss"],
            "test_loss": past["history.test_loss"],
            "learning_rate": past["history.learning_rate"],
        }
    )
    write_table(table, history, header["provenance"])
    save_arrays(model, arrays if record["status"] == "completed" else {}, header)
    files.write_json(run, {**record, "provenance": header["provenance"]})
