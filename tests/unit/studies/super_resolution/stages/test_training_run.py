"""From two arrays of scenes to weights, tables and timings, through the scripts as a study calls them."""

import json
import runpy

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.helpers import REPOSITORY

from spatial_prediction import command
from spatial_prediction.errors import CheckpointError, ConfigurationError, SceneError
from spatial_prediction.models import RVSR
from spatial_prediction.named_arrays import load_arrays
from spatial_prediction.studies.super_resolution import metrics
from spatial_prediction.studies.super_resolution.stages.samples import upscaled_images
from spatial_prediction.studies.super_resolution.stages.training_run import _history_arrays
from spatial_prediction.training import History, Outcome
from spatial_prediction.training_settings import TrainingSettings

STEPS = 7
NETWORK = {"hidden_channels": 4, "blocks": 8}
TINY = {"hidden_channels": 2, "blocks": 1}
"""Enough where the network is not looked into."""

TRAINING = {
    "steps": STEPS,
    "batch_size": 2,
    "low_res_size": 48,
    "warmup_steps": 2,
    "decay_start": 4,
    "test_every": 3,
    "checkpoint_every": 4,
    "divergence_grace_steps": 0,
}
DIVERGENT = {"learning_rate": 1e9, "warmup_steps": 1, "test_every": 2}

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module", autouse=True)
def _dtypes_promoted_as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


def script(name, **options):
    """Run a script's main with options as a command line has them."""
    words = []
    for option, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{option.replace('_', '-')}", *map(str, values)]
    runpy.run_path(str(REPOSITORY / "scripts" / "super_resolution" / f"{name}.py"))["main"](words)


def smooth_scenes(count, seed):
    rough = np.random.default_rng(seed).normal(size=(count, 208, 208, 3)).cumsum(1).cumsum(2)
    return (3000 + 2500 * rough / np.abs(rough).max()).astype(np.int16)


class Study:
    """The folder of a study, with one method a stage."""

    def __init__(self, folder):
        self.folder = folder
        self.test_scenes = smooth_scenes(3, seed=2)
        np.save(folder / "train.npy", smooth_scenes(4, seed=1))
        np.save(folder / "test.npy", self.test_scenes)
        summary = {"train": {"sha256": "hash of train"}, "test": {"sha256": "hash of test"}}
        (folder / "summary.json").write_text(json.dumps(summary))

    def train(self, name, *, padding="zero", output_crop=0, seed=1, seeds=None, checkpoints=None, **settings):
        script(
            "train_model",
            preset=name,
            padding=padding,
            upscale_padding="repl",
            output_crop=output_crop,
            seeds=seeds or [seed],
            train=self.folder / "train.npy",
            test=self.folder / "test.npy",
            summary=self.folder / "summary.json",
            checkpoints=self.folder / "checkpoints" / (checkpoints or name),
            output=self.folder / f"{name}.training",
            **{**TRAINING, **settings},
        )
        return load_arrays(self.folder / f"{name}.training" / f"seed_{seed}.safetensors")

    def export(self, name, seed=1):
        script(
            "export_model",
            training=self.folder / f"{name}.training" / f"seed_{seed}.safetensors",
            model=self.folder / f"{name}.safetensors",
            history=self.folder / f"{name}.history.parquet",
            run=self.folder / f"{name}.json",
        )

    def evaluate(self, name, batch_size=8):
        model = self.folder / f"{name}.safetensors"
        common = {
            "test": self.folder / "test.npy",
            "summary": self.folder / "summary.json",
            "low_res_size": 48,
            "batch_size": batch_size,
        }
        script("evaluate_mse", models=[model], **common, output=self.folder / f"{name}.mse.parquet")
        script(
            "evaluate_nmse",
            model=model,
            **common,
            paddings=["zero", "repl"],
            output=self.folder / f"{name}.nmse.parquet",
        )

    def table(self, name, kind):
        return metrics.read_table(self.folder / f"{name}.{kind}.parquet", kind)

    def provenance(self, name, kind):
        metadata = pq.read_schema(self.folder / f"{name}.{kind}.parquet").metadata
        return json.loads(metadata[b"provenance"])

    def record(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of one network, trained with output crop 5."""
    study = Study(tmp_path_factory.mktemp("study"))
    study.train("zero_oc5", output_crop=5, **NETWORK)
    study.export("zero_oc5")
    study.evaluate("zero_oc5")
    return study


@pytest.fixture(scope="module")
def diverged(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("diverged"))
    study.train("zero", **TINY, **DIVERGENT)
    study.export("zero")
    study.evaluate("zero")
    return study


@pytest.fixture(scope="module")
def recomputed(study):
    """Predictions and feature maps on all corner tiles, by the network with its branches: NumPy float64."""
    arrays, _ = load_arrays(study.folder / "zero_oc5.safetensors")
    model = RVSR.from_named_arrays(arrays, padding="zero", upscale_padding="repl")
    unpadded = RVSR.from_named_arrays(arrays, padding="zero", upscale_padding="repl", output_crop=10)
    ends = [(row, column) for row in (0, 8) for column in (0, 8)]
    tiles = np.stack(
        [scene[row : row + 200, column : column + 200] for scene in study.test_scenes for row, column in ends]
    )
    scaled = jnp.asarray(2 * tiles.astype(np.float32) / 10_000 - 1)
    low_res = jax.image.resize(scaled, (12, 50, 50, 3), "bilinear", antialias=True)[:, 1:-1, 1:-1]
    prediction = eqx.filter_jit(model.apply)(low_res)
    output, features = eqx.filter_jit(unpadded.with_features)(low_res)
    maps = [np.asarray(each, np.float64) for each in (low_res, *features, output)]
    return np.asarray(prediction, np.float64), np.asarray(scaled[:, 4:-4, 4:-4], np.float64), maps


def test_training_writes_weights_history_and_a_header_that_tells_all(study):
    arrays, header = load_arrays(study.folder / "zero_oc5.training" / "seed_1.safetensors")
    assert arrays["head.weight"].shape == (4, 3, 3, 3)
    assert arrays["body.repconv.residual_3x3.weight"].shape == (8, 4, 4, 3, 3)
    assert {header[key] for key in ("preset", "padding", "upscale_padding")} == {"zero_oc5", "zero", "repl"}
    assert (header["output_crop"], header["seed"]) == (5, 1)
    assert header["model"] == {**NETWORK, "upscale_factor": 4}
    assert header["run"]["status"] == "completed"
    settings = header["provenance"]["settings"]
    assert settings["data"] == "hash of train"
    assert settings["training"]["steps"] == STEPS
    assert len(settings["code"]) == 64


def test_the_history_has_a_row_for_each_step(study):
    history = study.table("zero_oc5", "history")
    assert history["step"].tolist() == list(range(STEPS + 1))
    assert history["train_loss"].notna().tolist() == [True] * STEPS + [False]
    assert history["step"][history["test_loss"].notna()].tolist() == [0, 3, 6, 7]
    expected = [5e-6, (5e-6 + 0.014) / 2, 0.014, 0.014, 0.014, 0.014 * 2 / 3, 0.014 / 3, 0]
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-5, atol=1e-9)
    assert set(history["preset"]) == {"zero_oc5"}
    assert set(history["seed"]) == {1}


def test_the_run_record_tells_the_end(study):
    record = study.record("zero_oc5")
    assert (record["status"], record["step"], record["steps"], record["reason"]) == (
        "completed",
        STEPS,
        STEPS,
        None,
    )
    assert record["final_test_loss"] == study.table("zero_oc5", "history")["test_loss"].iloc[-1]
    assert record["provenance"]["settings"]["training"]["batch_size"] == 2
    assert len(metrics.read_runs([study.folder / "zero_oc5.json"])) == 1


def test_every_table_carries_its_provenance(study):
    assert study.provenance("zero_oc5", "mse")["settings"]["data"] == "hash of test"
    assert study.provenance("zero_oc5", "nmse")["settings"]["paddings"] == ["zero", "repl"]
    assert study.provenance("zero_oc5", "history")["settings"]["training"]["learning_rate"] == 0.014
    for kind in ("mse", "nmse", "history"):
        assert {"jax", "optax"} <= study.provenance("zero_oc5", kind)["packages"].keys()


def test_the_exported_model_holds_weights_alone(study):
    arrays, header = load_arrays(study.folder / "zero_oc5.safetensors")
    trained, of_training = load_arrays(study.folder / "zero_oc5.training" / "seed_1.safetensors")
    assert header == of_training
    assert arrays.keys() == {name for name in trained if not name.startswith("history.")}
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, trained[name])


def test_squared_errors_are_those_of_a_plain_computation_at_each_crop(study, recomputed):
    prediction, target, _ = recomputed
    errors = study.table("zero_oc5", "mse")
    assert errors["output_crop"].tolist() == list(range(11)) * 3
    assert errors["image"].tolist() == [0] * 11 + [1] * 11 + [2] * 11
    for row in errors.itertuples():
        corners = slice(4 * row.image, 4 * row.image + 4)
        inside = slice(4 * row.output_crop, 192 - 4 * row.output_crop)
        squares = ((prediction - target)[corners, inside, inside]) ** 2
        assert row.pixel_count == squares.size
        assert row.sum_of_squares == pytest.approx(squares.sum(), rel=1e-4)


def test_padding_errors_are_those_of_a_plain_computation(study, recomputed):
    _, _, maps = recomputed
    table = study.table("zero_oc5", "nmse")
    assert len(maps) == 11
    assert table["padding"].tolist() == ["zero"] * 11 + ["repl"] * 11
    assert table["feature_map"].tolist() == [*range(11), *range(11)]
    ring = np.ones((30, 30), bool)
    ring[1:-1, 1:-1] = False
    for row in table.itertuples():
        whole = maps[row.feature_map]
        top, left = (whole.shape[1] - 30) // 2, (whole.shape[2] - 30) // 2
        central = whole[:, top : top + 30, left : left + 30]
        mode = {"zero": "constant", "repl": "edge"}[row.padding]
        padded = np.pad(central[:, 1:-1, 1:-1], ((0, 0), (1, 1), (1, 1), (0, 0)), mode)
        actual = central[:, ring]
        assert row.squared_error == pytest.approx(((padded - central) ** 2)[:, ring].sum(), rel=1e-3)
        variance = ((actual - actual.mean(axis=1, keepdims=True)) ** 2).sum()
        assert row.variance == pytest.approx(variance, rel=1e-3)


def test_the_batch_size_of_the_evaluation_does_not_matter(study):
    before = study.table("zero_oc5", "mse"), study.table("zero_oc5", "nmse")
    study.evaluate("zero_oc5", batch_size=4)  # one image at a time; before it was two and then one
    after = study.table("zero_oc5", "mse"), study.table("zero_oc5", "nmse")
    np.testing.assert_allclose(after[0]["sum_of_squares"], before[0]["sum_of_squares"], rtol=1e-5)
    np.testing.assert_allclose(after[1]["squared_error"], before[1]["squared_error"], rtol=1e-5)


def test_training_again_after_the_end_gives_the_same_arrays_byte_for_byte(tmp_path):
    study = Study(tmp_path)
    first, first_header = study.train("zero", **TINY)
    (tmp_path / "zero.training" / "seed_1.safetensors").unlink()
    second, second_header = study.train("zero", **TINY)
    assert {name: array.tobytes() for name, array in first.items()} == {
        name: array.tobytes() for name, array in second.items()
    }
    for header in (first_header, second_header):
        del header["run"]["seconds"]
    assert first_header == second_header
    assert len(list((tmp_path / "checkpoints" / "zero").iterdir())) == 1

    changed, _ = study.train("zero", **TINY, learning_rate=0.01)
    folders = list((tmp_path / "checkpoints" / "zero").iterdir())
    assert len(folders) == 2
    assert all(folder.name.startswith("seed_1-") for folder in folders)
    assert np.any(changed["head.weight"] != first["head.weight"])


def test_seeds_trained_in_one_job_have_the_arrays_of_jobs_of_their_own(tmp_path):
    study = Study(tmp_path)
    alone = {seed: study.train("zero", **TINY, seed=seed, checkpoints=f"alone_{seed}") for seed in (1, 2)}
    study.train("zero", **TINY, seeds=[1, 2], checkpoints="together")
    for seed, (arrays, header) in alone.items():
        together, of_together = load_arrays(tmp_path / "zero.training" / f"seed_{seed}.safetensors")
        assert {name: array.tobytes() for name, array in arrays.items()} == {
            name: array.tobytes() for name, array in together.items()
        }
        del header["run"]["seconds"], of_together["run"]["seconds"]
        assert header == of_together


def test_networks_evaluated_in_one_pass_have_the_errors_of_passes_of_their_own(tmp_path):
    study = Study(tmp_path)
    names = ("one", "two", "diverged")
    for seed, name in enumerate(names):
        study.train(name, **NETWORK, seed=seed, **(DIVERGENT if name == "diverged" else {}))
        study.export(name, seed)
        study.evaluate(name)
    script(
        "evaluate_mse",
        models=[tmp_path / f"{name}.safetensors" for name in names],
        test=tmp_path / "test.npy",
        summary=tmp_path / "summary.json",
        low_res_size=48,
        batch_size=8,
        output=tmp_path / "all.mse.parquet",
    )
    together = study.table("all", "mse")
    assert together["seed"].unique().tolist() == [0, 1]
    for seed, name in enumerate(names[:2]):
        found = together[together["seed"] == seed].reset_index(drop=True)
        np.testing.assert_array_equal(found["image"], study.table(name, "mse")["image"])
        np.testing.assert_allclose(
            found["sum_of_squares"], study.table(name, "mse")["sum_of_squares"], rtol=1e-6
        )


def test_a_divergent_run_is_recorded_with_step_and_reason(diverged):
    record = diverged.record("zero")
    assert record["status"] == "diverged"
    assert 2 < record["step"] <= STEPS
    assert record["reason"].startswith(("loss ", "test loss "))
    assert record["final_test_loss"] is None
    if record["reason"].startswith("loss "):
        assert len(record["batch"]) == TRAINING["batch_size"]
        assert np.asarray(record["batch"]).shape == (2, 3)
        assert record["gradient_norm"] is not None
    assert metrics.count_runs(metrics.read_runs([diverged.folder / "zero.json"]), {"zero": 0}).iloc[
        0
    ].tolist() == ["zero", 0, 1]


def test_a_divergent_run_keeps_its_history_up_to_the_failure(diverged):
    history = diverged.table("zero", "history")
    step = diverged.record("zero")["step"]
    assert history["step"].tolist() == list(range(step + 1))
    assert np.isfinite(history["train_loss"][: step - 1]).all()
    assert history["test_loss"].notna()[0]


def test_what_follows_a_divergent_run_goes_on_without_it(diverged):
    arrays, header = load_arrays(diverged.folder / "zero.safetensors")
    assert arrays == {}
    assert header["run"]["status"] == "diverged"
    for kind in ("mse", "nmse"):
        table = diverged.table("zero", kind)
        assert table.empty
        assert list(table.columns) == list(metrics.COLUMNS[kind])
        assert diverged.provenance("zero", kind)["settings"]["data"] == "hash of test"
        gathered = diverged.folder / f"gathered.{kind}.parquet"
        tables = [diverged.folder / f"zero.{kind}.parquet"]
        assert metrics.gather_tables(tables, kind, gathered) == 0
    images = upscaled_images(
        diverged.folder / "test.npy",
        {"zero": diverged.folder / "zero.safetensors"},
        scenes=[0, 2],
        low_res_size=48,
    )
    assert list(images) == ["(input)", "(bilinear)", "(target)"]
    assert images["(target)"].shape == (2, 192, 192, 3)


@pytest.mark.parametrize("kind", ["training", "inference"])
def test_timing_reports_speed_against_zero_padding(tmp_path, kind):
    output = tmp_path / "timing.json"
    script(
        "benchmark_throughput",
        kind=kind,
        preset="repl_oc1",
        padding="repl",
        upscale_padding="repl",
        output_crop=1,
        memory_budget_mib=1000,
        repeats=2,
        largest_batch=2,
        output=output,
        **TINY,
        **{**TRAINING, "low_res_size": 12},
    )
    record = json.loads(output.read_text())
    assert record["trained_weights"] is False
    assert record["quartiles_seconds"] == np.quantile(record["seconds"], (0.25, 0.75)).tolist()
    assert (record["preset"], record["kind"], record["batch_size"]) == ("repl_oc1", kind, 2)
    assert len(record["seconds"]) == 2
    assert 0 < record["memory_bytes"] < record["memory_budget_bytes"] == 1000 * 2**20
    assert record["images_per_second"] == pytest.approx(2 / np.median(record["seconds"]))
    assert record["pixels_per_second"] == pytest.approx(record["images_per_second"] * (4 * 10) ** 2)
    assert record["reference_images_per_second"] > 0
    assert record["provenance"]["settings"]["repeats"] == 2
    assert metrics.read_timings([output], kind)["relative_time"].item() > 0


@pytest.mark.parametrize("trained", ["zero_oc5", "zero"])
def test_trained_weights_are_timed_one_tile_at_least_and_random_ones_where_there_are_none(
    tmp_path, study, diverged, caplog, trained
):
    """The budget is too small for the tile, of which a warning tells."""
    folder = study.folder if trained == "zero_oc5" else diverged.folder
    script(
        "benchmark_throughput",
        kind="inference",
        preset="repl",
        padding="repl",
        upscale_padding="repl",
        memory_budget_mib=0,
        repeats=1,
        largest_batch=2,
        weights=folder / f"{trained}.safetensors",
        output=tmp_path / "timing.json",
        **NETWORK,
        **{**TRAINING, "low_res_size": 12},
    )
    record = json.loads((tmp_path / "timing.json").read_text())
    assert record["trained_weights"] is (trained == "zero_oc5")
    assert record["batch_size"] == 1
    assert record["memory_bytes"] > record["memory_budget_bytes"] == 0
    assert "timing.memory_budget_mib: one tile needs" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"padding": "nope"}, "no border handling is called 'nope'"),
        ({"upscale_padding": "nope"}, "no padding is called 'nope'"),
        ({"repeats": 0}, r"repeats is 0 and largest_batch 1; give at least 1 of each"),
        ({"largest_batch": 0}, r"repeats is 1 and largest_batch 0; give at least 1 of each"),
    ],
    ids=str,
)
@pytest.mark.parametrize("trained", [True, False])
def test_what_cannot_be_timed_is_told(tmp_path, study, trained, wrong, message):
    options = {"padding": "repl", "upscale_padding": "repl", "repeats": 1, "largest_batch": 1, **wrong}
    if trained:
        options["weights"] = study.folder / "zero_oc5.safetensors"
    with pytest.raises(ConfigurationError, match=message):
        script(
            "benchmark_throughput",
            kind="inference",
            preset="x",
            memory_budget_mib=1000,
            output=tmp_path / "timing.json",
            **options,
            **NETWORK,
            **{**TRAINING, "low_res_size": 12},
        )


def test_paddings_that_are_not_known_are_told_and_not_evaluated(tmp_path, study):
    with pytest.raises(ConfigurationError, match="no padding is called 'nope'"):
        script(
            "evaluate_nmse",
            model=study.folder / "zero_oc5.safetensors",
            test=study.folder / "test.npy",
            summary=study.folder / "summary.json",
            low_res_size=48,
            batch_size=4,
            paddings=["zero", "nope"],
            output=tmp_path / "nmse.parquet",
        )
    assert not (tmp_path / "nmse.parquet").exists()


def test_scenes_too_small_for_training_are_refused_before_anything_is_written(tmp_path):
    study = Study(tmp_path)
    with pytest.raises(SceneError, match=r"train.npy: scenes of 208 x 208 .* cannot give tiles of 248"):
        study.train("zero", **TINY, low_res_size=60)
    assert not (tmp_path / "checkpoints").exists()


def test_a_result_that_is_cut_off_is_refused_by_name(tmp_path, study):
    name = "zero_oc5.training/seed_1.safetensors"
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes((study.folder / name).read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"seed_1.safetensors: cannot be read"):
        Study(tmp_path).export("zero_oc5")
    assert not (tmp_path / "zero_oc5.json").exists()


def test_a_request_to_end_becomes_the_exit_code_for_it(tmp_path, monkeypatch):
    from spatial_prediction.studies.super_resolution.stages import training_run
    from spatial_prediction.training import Interrupted

    def asked_to_end(*_, **__):
        raise Interrupted("saved step 3 of 7")

    monkeypatch.setattr(training_run, "train", asked_to_end)
    with pytest.raises(SystemExit) as ending:
        Study(tmp_path).train("zero", **TINY)
    assert ending.value.code == command.INTERRUPTED
    assert not (tmp_path / "zero.training").exists()


def test_a_history_without_any_loss_has_one_row():
    outcome = Outcome(None, History(), "diverged", 0, "loss became nan", 0.0)
    columns = _history_arrays(outcome, TrainingSettings())
    assert columns["history.step"].tolist() == [0]
    assert np.isnan([columns["history.train_loss"], columns["history.test_loss"]]).all()
    np.testing.assert_allclose(columns["history.learning_rate"], [5e-6], rtol=1e-4)
