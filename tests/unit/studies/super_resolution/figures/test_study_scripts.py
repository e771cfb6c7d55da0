"""Every figure and table script, on studies small enough to know by heart."""

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.helpers import REPOSITORY

from spatial_prediction.errors import ConfigurationError

SCRIPTS = REPOSITORY / "scripts" / "super_resolution"
STEPS = 100
TYPES = {"preset": "object", "seed": "int64", "padding": "object", "feature_map": "int64", "image": "int64"}
TYPES |= {"output_crop": "int64", "pixel_count": "int64", "step": "int64"}


def run(script: str, *arguments: object) -> None:
    runpy.run_path(str(SCRIPTS / script))["main"]([str(argument) for argument in arguments])


class Study:
    """The files of a study as the earlier stages would have written them, run by run."""

    def __init__(self, folder: Path, presets: dict[str, int], runs: dict[tuple[str, int], bool]):
        self.folder = folder
        self.presets = json.dumps(presets)
        self.runs = [self._write_run(preset, seed, well) for (preset, seed), well in runs.items()]
        for kind in ("training", "inference"):
            for preset in presets:
                self._write_timing(kind, preset)
        for kind in ("mse", "history", "nmse"):
            tables = [self._write_table(kind, preset, seed, well) for (preset, seed), well in runs.items()]
            run(
                "gather_evaluation.py",
                "--kind",
                kind,
                "--output",
                folder / f"{kind}.parquet",
                "--tables",
                *tables,
            )
        self.bilinear = folder / "bilinear.parquet"
        rows = self._mse(True).assign(preset="bilinear", seed=0)
        rows.assign(sum_of_squares=4e-4 * rows["pixel_count"]).to_parquet(self.bilinear)

    def timings(self, kind: str) -> list[Path]:
        return sorted((self.folder / "timing" / kind).glob("*.json"))

    def _write_run(self, preset: str, seed: int, well: bool) -> Path:
        record = {"preset": preset, "seed": seed, "steps": STEPS, "seconds": 1.0}
        record |= (
            {"status": "completed", "step": STEPS, "reason": None, "final_test_loss": 5e-4} if well else {}
        )
        record |= {} if well else {"status": "diverged", "step": 50, "reason": "NaN", "final_test_loss": None}
        return self._write_json(self.folder / "runs" / preset / f"seed_{seed}.json", record)

    def _write_timing(self, kind: str, preset: str) -> None:
        record = {"preset": preset, "kind": kind, "batch_size": 8, "images_per_second": 4.0}
        record |= {"pixels_per_second": 4e6, "reference_images_per_second": 8.0}
        self._write_json(self.folder / "timing" / kind / f"{preset}.json", record)

    def _write_json(self, path: Path, content: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        return path

    def _write_table(self, kind: str, preset: str, seed: int, well: bool) -> Path:
        path = self.folder / kind / preset / f"seed_{seed}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = getattr(self, f"_{kind}")(well).assign(preset=preset, seed=seed)
        frame.astype({name: kind for name, kind in TYPES.items() if name in frame}).to_parquet(path)
        return path

    def _mse(self, well: bool) -> pd.DataFrame:
        crops = np.arange(11) if well else np.arange(0)
        pixels = (24 - 2 * crops) ** 2
        return pd.DataFrame(
            {"image": 0, "output_crop": crops, "sum_of_squares": 5e-4 * pixels, "pixel_count": pixels}
        )

    def _history(self, well: bool) -> pd.DataFrame:
        steps = np.arange(0, STEPS + 1 if well else STEPS // 2, 10)
        losses = 5e-4 + 1e-2 / (steps + 1)
        losses[1::2] = np.nan
        return pd.DataFrame({"step": steps, "train_loss": 1e-3, "test_loss": losses, "learning_rate": 1e-3})

    def _nmse(self, well: bool) -> pd.DataFrame:
        places = [(padding, map_) for padding in ("zero", "repl") for map_ in range(11 if well else 0)]
        frame = pd.DataFrame(places, columns=["padding", "feature_map"])
        return frame.assign(squared_error=0.5, variance=2.0)


STUDIES = {
    "one preset diverges once, one altogether": (
        {"zero-repl": 0, "repl": 0, "lp2x3_oc5": 5},
        {
            ("zero-repl", 0): True,
            ("zero-repl", 1): True,
            ("repl", 0): False,
            ("repl", 1): True,
            ("lp2x3_oc5", 0): False,
            ("lp2x3_oc5", 1): False,
        },
    ),
    "one seed": ({"zero-repl": 0, "zero_oc1": 1}, {("zero-repl", 3): True, ("zero_oc1", 3): True}),
    "no baseline": ({"repl_oc5": 5, "odd_oc3": 3}, {("repl_oc5", 0): True, ("odd_oc3", 0): True}),
    "one preset": ({"lp2x3": 0}, {("lp2x3", 0): True, ("lp2x3", 1): True}),
    "everything diverged": (
        {"zero-repl": 0, "repl_oc1": 1},
        {("zero-repl", 0): False, ("repl_oc1", 0): False},
    ),
}


@pytest.fixture(params=STUDIES, scope="module")
def study(request, tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study"), *STUDIES[request.param])


def _figure_files(study: Study, name: str, *arguments: object) -> set[str]:
    target = study.folder / "figures" / name
    common = ("--presets", study.presets, "--figure", target, "--formats", "png")
    run(f"plot_{name}.py", *arguments, *common)
    return {path.name for path in target.parent.glob(f"*{name}*")}


def test_every_figure_is_drawn(study):
    mse, runs = ("--mse", study.folder / "mse.parquet"), ("--runs", *study.runs)
    timings = [
        item for kind in ("training", "inference") for item in (f"--timing-{kind}", *study.timings(kind))
    ]
    history, nmse = study.folder / "history.parquet", study.folder / "nmse.parquet"
    bilinear = ("--bilinear", study.bilinear)
    assert _figure_files(study, "test_mse", *mse, *runs, *bilinear) == {"test_mse.png"}
    assert _figure_files(study, "shell_mse", *mse, *bilinear) == {"shell_mse.png"}
    assert _figure_files(study, "loss_histories", "--history", history, *runs) == {"loss_histories.png"}
    assert _figure_files(study, "throughput", *mse, *timings) == {"throughput.png"}
    assert _figure_files(study, "padding_nmse", "--nmse", nmse) == {"padding_nmse.png"}


def _table(study: Study, name: str, *arguments: object) -> pd.DataFrame:
    target = study.folder / "tables" / name
    run(f"tabulate_{name}.py", *arguments, "--presets", study.presets, "--table", target)
    assert {path.suffix for path in target.parent.glob(f"{name}.*")} == {".csv", ".html", ".md", ".tex"}
    return pd.read_csv(f"{target}.csv", dtype=str, keep_default_na=False)


def test_every_table_has_its_rows(study):
    presets = list(json.loads(study.presets))
    mse, runs = ("--mse", study.folder / "mse.parquet"), ("--runs", *study.runs)
    assert _table(study, "runs", *runs)["Preset"].tolist() == [*presets, "all"]
    assert _table(study, "shells", *mse).columns.tolist() == ["Shell", *presets]
    results = _table(study, "results", *mse, *runs, "--timing-training", *study.timings("training"))
    assert [name.removesuffix(" *") for name in results["Preset"]] == presets
    assert set(results["Training time (1 = zero)"]) == {"2.00"}
    assert set(results["Inference batch"]) == {"\N{EN DASH}"}


def test_every_table_has_bilinear_upscaling_and_the_logs_warn(study, caplog):
    presets = json.loads(study.presets)
    crops = sorted(set(presets.values()))
    mse = ("--mse", study.folder / "mse.parquet", "--bilinear", study.bilinear)
    runs, note = ("--runs", *study.runs), study.folder / "warnings.rst"
    rows = _table(study, "runs", *runs, *mse, "--note", note)["Preset"].tolist()
    assert rows == [*presets, "all", *(f"bilinear upscaling, output crop {crop}" for crop in crops)]
    logged = caplog.text
    assert "warning:" in logged
    assert note.read_text().startswith(".. warning::")
    assert _table(study, "shells", *mse).columns.tolist() == ["Shell", *presets, "bilinear upscaling"]
    caplog.clear()
    results = _table(study, "results", *mse, *runs)
    assert results["Preset"].tolist()[-len(crops) :] == ["bilinear upscaling"] * len(crops)
    assert set(results["Test MSE (10⁻⁶)"].tolist()[-len(crops) :]) == {"400.0"}
    assert "warning:" in caplog.text


def test_errors_and_those_of_bilinear_upscaling_go_together(study):
    arguments = ("--presets", study.presets, "--table", study.folder / "t", "--bilinear", study.bilinear)
    with pytest.raises(SystemExit):
        run("tabulate_runs.py", *arguments)


def test_missing_baseline_shows_dashes(tmp_path):
    study = Study(tmp_path, *STUDIES["no baseline"])
    results = _table(study, "results", "--mse", tmp_path / "mse.parquet", "--runs", *study.runs)
    assert set(results["MSE v baseline (%)"]) == {"\N{EN DASH}"}
    assert results["Test MSE (10⁻⁶)"].tolist() == ["500.0", "500.0"]


def test_baselines_can_be_chosen(tmp_path):
    study = Study(tmp_path, *STUDIES["no baseline"])
    chosen = ("--baselines", '{"5": "repl_oc5"}')
    results = _table(study, "results", "--mse", tmp_path / "mse.parquet", "--runs", *study.runs, *chosen)
    assert results["Preset"].tolist() == ["repl_oc5 *", "odd_oc3"]


@pytest.mark.parametrize(
    ("presets", "named"),
    [
        ("zero-repl", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ("{}", "names no preset"),
        ('{"a": 11}', "output crop of 'a' is 11"),
        ('{"a": true}', "output crop of 'a' is True"),
    ],
)
def test_unusable_presets_are_explained(presets, named):
    with pytest.raises(ConfigurationError, match=f"--presets.*{named}"):
        run("tabulate_runs.py", "--presets", presets, "--table", "unused")


@pytest.mark.parametrize(
    ("models", "named"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"a": 3}', "the weights of 'a' are 3; must be the path of a file"),
    ],
)
def test_unusable_models_are_explained(models, named):
    with pytest.raises(ConfigurationError, match=f"--models.*{named}"):
        run(
            "plot_upscaled_samples.py",
            "--test",
            "t",
            "--models",
            models,
            "--low-res-size",
            48,
            "--figure",
            "f",
        )


def test_unusable_baselines_are_explained():
    with pytest.raises(ConfigurationError, match="does not map an output crop"):
        run(
            "plot_test_mse.py",
            "--mse",
            "m",
            "--presets",
            '{"a": 0}',
            "--figure",
            "f",
            "--baselines",
            '{"a": "b"}',
        )
