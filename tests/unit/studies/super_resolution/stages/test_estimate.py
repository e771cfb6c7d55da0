"""The estimate of a study's cost multiplies what it measured, and says so in plain words."""

import jax
import pytest
import yaml
from tests.helpers import REPOSITORY

from spatial_prediction import __main__ as program
from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.config import ModelSettings
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.stages.estimate import Cost, described, estimate
from spatial_prediction.training_settings import TrainingSettings


@pytest.fixture(autouse=True)
def _dtypes_promoted_as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


def test_days_are_those_of_all_steps_of_all_runs():
    settings = TrainingSettings(steps=1000, batch_size=1, low_res_size=12, decay_start=500)
    costs = estimate(
        {"zero": PRESETS["zero-repl"]},
        runs=3,
        seeds_per_job=2,
        model_settings=ModelSettings(hidden_channels=2, blocks=1),
        settings=settings,
        repeats=2,
    )
    cost = costs["zero"]
    assert cost.lowest <= cost.seconds_a_step <= cost.highest
    assert cost.days == pytest.approx(cost.seconds_a_step * 1000 * 3 / 86_400)


def test_the_summary_adds_up():
    costs = {"zero": Cost(0.1, 0.05, 0.2, 2.0), "repl": Cost(0.1, 0.1, 0.1, 1.5)}
    text = described(costs, runs=4, settings=TrainingSettings())
    assert "Training 8 runs of 1500000 steps takes about 3.5 days of one" in text
    assert "each run about 1.74 days" in text
    assert "(5 to 20)" in text


def test_the_command_reads_the_configuration_as_the_study_does(monkeypatch, capsys):
    monkeypatch.chdir(REPOSITORY)
    seen = {}

    def noted(presets, **settings):
        seen.update(settings, presets=list(presets))
        return {name: Cost(1.0, 1.0, 1.0, 1.0) for name in presets}

    monkeypatch.setattr("spatial_prediction.studies.super_resolution.stages.estimate.estimate", noted)
    program.main(["estimate", "--configfile", "config/paper.yaml", "--presets", "repl", "lp6x7"])
    paper = yaml.safe_load((REPOSITORY / "config" / "paper.yaml").read_text(encoding="utf-8"))
    assert seen["presets"] == ["repl", "lp6x7"]
    assert seen["runs"] == len(paper["seeds"]) == 12
    assert (seen["settings"].steps, seen["settings"].batch_size) == (1_500_000, 64)
    assert "24 runs of 1500000 steps takes about 2 days" in capsys.readouterr().out


def test_an_unknown_preset_and_a_missing_configuration_are_told(monkeypatch, tmp_path):
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(ConfigurationError, match="--presets: lp2x33 not in the configuration"):
        program.main(["estimate", "--presets", "lp2x33"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"config.yaml: cannot be read .* folder of the study"):
        program.main(["estimate"])


@pytest.mark.parametrize("content", [b"", b"- 1\n", b"\xff"])
def test_an_overlay_that_cannot_be_used_is_told(monkeypatch, tmp_path, content):
    monkeypatch.chdir(REPOSITORY)
    (tmp_path / "overlay.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"overlay.yaml: .*; --configfile names an overlay"):
        program.main(["estimate", "--configfile", str(tmp_path / "overlay.yaml")])


@pytest.mark.parametrize("repeats", ["0", "-1"])
def test_no_steps_are_too_few_to_measure(monkeypatch, repeats):
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(ConfigurationError, match=f"--repeats: is {repeats}; must be at least 1"):
        program.main(["estimate", "--repeats", repeats, "--presets", "repl"])
