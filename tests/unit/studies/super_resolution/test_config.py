"""Typed settings: their defaults, and what they refuse."""

import dataclasses
import re

import pytest
import yaml
from tests.helpers import REPOSITORY

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.studies.super_resolution.config import (
    LARGEST_OUTPUT_CROP,
    UPSCALE_FACTOR,
    ModelSettings,
)
from spatial_prediction.training_settings import TrainingSettings

SCHEMA = yaml.safe_load(
    (REPOSITORY / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
)


def test_the_defaults_are_the_published_settings():
    assert dataclasses.asdict(TrainingSettings()) == {
        "steps": 1_500_000,
        "batch_size": 64,
        "low_res_size": 48,
        "initial_learning_rate": 5e-6,
        "learning_rate": 0.014,
        "warmup_steps": 100,
        "decay_start": 1_000_000,
        "adam_beta_1": 0.9,
        "adam_beta_2": 0.999,
        "adam_epsilon": 1e-3,
        "test_every": 1000,
        "checkpoint_every": 10_000,
        "divergence_loss": 1e6,
        "divergence_grace_steps": 100,
        "clip_gradient_norm": 0.0,
        "skip_gradient_spikes": 0.0,
        "compute_dtype": "float32",
    }
    assert dataclasses.asdict(ModelSettings()) == {"hidden_channels": 16, "blocks": 8, "upscale_factor": 4}


def test_the_schema_has_the_sizes_of_the_settings():
    properties = SCHEMA["properties"]
    sizes = {name: allowed.get("const") for name, allowed in properties["model"]["properties"].items()}
    assert sizes == {
        "hidden_channels": None,
        "blocks": ModelSettings().blocks,
        "upscale_factor": UPSCALE_FACTOR,
    }
    crops = properties["custom_presets"]["additionalProperties"]["properties"]["output_crop"]
    baselines = properties["figures"]["properties"]["baselines"]["propertyNames"]
    assert crops["maximum"] == baselines["maximum"] == LARGEST_OUTPUT_CROP
    fitting = [crop for crop in range(1000) if re.search(baselines["pattern"], str(crop))]
    assert fitting == list(range(LARGEST_OUTPUT_CROP + 1))


def test_an_unknown_compute_dtype_is_refused():
    with pytest.raises(ConfigurationError, match="compute_dtype is 'float16'; use float32 or bfloat16"):
        TrainingSettings(compute_dtype="float16")


@pytest.mark.parametrize(
    "order",
    [
        {"warmup_steps": 0, "decay_start": 10, "steps": 20},
        {"warmup_steps": 11, "decay_start": 10, "steps": 20},
        {"warmup_steps": 5, "decay_start": 20, "steps": 20},
    ],
)
def test_a_schedule_out_of_order_is_refused_with_its_numbers(order):
    with pytest.raises(ConfigurationError) as refusal:
        TrainingSettings(**order)
    assert all(f"{name} {value}" in str(refusal.value) for name, value in order.items())


def test_decay_may_begin_where_the_warm_up_ends():
    assert TrainingSettings(warmup_steps=10, decay_start=10, steps=11).decay_start == 10
