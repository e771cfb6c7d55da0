"""Every writer of the package ends with one line that names file and remedy, and leaves nothing half-written.

The limit that processes have on the size of files stands for a full disk: the system refuses the same write.
"""

import contextlib
import datetime
import resource
import subprocess
import sys
from pathlib import Path

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from tests.helpers import REPOSITORY

from spatial_prediction import plotting
from spatial_prediction.errors import WriteError
from spatial_prediction.files import write_errors_named, write_json
from spatial_prediction.named_arrays import save_arrays
from spatial_prediction.rasters.scene_writing import write_scene
from spatial_prediction.studies.super_resolution import metrics
from spatial_prediction.studies.super_resolution.data.arrays import build_arrays
from spatial_prediction.studies.super_resolution.stages.tables import write_table
from spatial_prediction.training import Checkpoints

LIMIT = 4096
NOISE = np.random.default_rng(0).integers(1, 10_000, (64, 64, 3), dtype=np.int16)
TABLE = pd.DataFrame(
    {
        "preset": "repl",
        "seed": 0,
        "image": np.arange(5000),
        "output_crop": 0,
        "sum_of_squares": np.random.default_rng(0).normal(size=5000),
        "pixel_count": 9,
    }
)


@contextlib.contextmanager
def files_no_larger_than(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def scene(path, bands=NOISE):
    write_scene(path, bands, date=datetime.date(2020, 6, 1), x0=0.0, y0=0.0, epsg_wkt="")


def arrays_of_scenes(folder):
    return build_arrays(
        sorted(folder.glob("scene_*.nc")),
        train_path=folder / "train.npy",
        test_path=folder / "test.npy",
        summary_path=folder / "summary.json",
        test_scenes=1,
        size=64,
        order=np.arange(2),
        bad_scenes="error",
    )


def noise_figure(path):
    figure = matplotlib.figure.Figure()
    figure.add_subplot().imshow(NOISE / 10_000)
    plotting.save_figure(figure, path.with_suffix(""), [path.suffix[1:]])


def formatted_table(path):
    cells = TABLE.astype(str)
    alignment = dict.fromkeys(cells.columns, "left")
    plotting.write_table(
        plotting.Table(cells=cells, alignment=alignment, caption="", notes=()), path.with_suffix("")
    )


def gathered(path):
    metrics.gather_tables([path.parent / "before.parquet"], "mse", path)


WRITERS = {
    "run.json": lambda path: write_json(path, list(range(5000))),
    "model.safetensors": lambda path: save_arrays(path, {"kernel": np.zeros(5000)}, {}),
    "step_000000003.safetensors": lambda path: Checkpoints(path.parent).save(3, {"w": np.zeros(5000)}, {}),
    "mse.parquet": lambda path: write_table(TABLE, path, {}),
    "gathered.parquet": gathered,
    "000000.nc": scene,
    "train.npy": lambda path: arrays_of_scenes(path.parent),
    "figure.png": noise_figure,
    "figure.pdf": noise_figure,
    "figure.svg": noise_figure,
    "table.csv": formatted_table,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_write_refused_by_the_system_is_one_line_and_leaves_nothing(tmp_path, name):
    write_table(TABLE, tmp_path / "before.parquet", {})
    for index in range(2):
        scene(tmp_path / f"scene_{index}.nc")
    there = sorted(tmp_path.iterdir())
    with files_no_larger_than(LIMIT), pytest.raises(WriteError) as caught:
        WRITERS[name](tmp_path / name)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: cannot be written (")
    assert "\n" not in message
    # the netCDF library keeps the system's reason to itself
    assert "make room" in message if name.endswith(".nc") else "ulimit -f" in message
    assert sorted(tmp_path.iterdir()) == there
    WRITERS[name](tmp_path / name)  # and it was the limit that stood in the way
    assert (tmp_path / name).stat().st_size > LIMIT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_device_is_told_of(tmp_path):
    with (
        pytest.raises(WriteError, match=r"a.csv: cannot be written \(No space left on device\); make room"),
        write_errors_named(tmp_path / "a.csv"),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        full.write(b"x")


def test_a_script_whose_output_cannot_be_written_ends_with_one_line(tmp_path):
    (tmp_path / "results").write_text("a file where a folder is needed")
    script = REPOSITORY / "scripts" / "super_resolution" / "gather_evaluation.py"
    write_table(TABLE, tmp_path / "before.parquet", {})
    files = ["--tables", tmp_path / "before.parquet", "--output", tmp_path / "results" / "mse.parquet"]
    command = [sys.executable, script, "--kind", "mse", *files]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path}/results/mse.parquet: cannot be written (")


@pytest.mark.parametrize("summary", ["{}", "no JSON", '{"train": {}, "test": null}'])
@pytest.mark.parametrize("script", ["train_model", "evaluate_bilinear", "tabulate_provenance"])
def test_a_script_given_a_useless_summary_ends_with_one_line(tmp_path, script, summary):
    path = tmp_path / "summary.json"
    path.write_text(summary)
    np.save(tmp_path / "test.npy", np.ones((2, 256, 256, 3), np.int16))
    out = tmp_path / "out"
    preset = ["--preset", "repl", "--padding", "repl", "--upscale-padding", "repl", "--seeds", "0"]
    sizes = ["--low-res-size", "48", "--upscale-factor", "4", "--batch-size", "8"]
    arguments = {
        "train_model": [*preset, "--train", tmp_path / "a.npy", "--checkpoints", tmp_path, "--output", out],
        "evaluate_bilinear": [*sizes, "--output", out],
        "tabulate_provenance": ["--runs", "--table", out],
    }[script]
    if script != "tabulate_provenance":
        arguments += ["--test", tmp_path / "test.npy"]
    command = [
        sys.executable,
        REPOSITORY / "scripts" / "super_resolution" / f"{script}.py",
        "--summary",
        path,
        *arguments,
    ]
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    told = ended.stderr.splitlines()
    assert told[-1].startswith(f"error: {path}: ")
    assert "make it again with its rule" in told[-1]
    assert "Traceback" not in ended.stderr
    assert not out.exists()
