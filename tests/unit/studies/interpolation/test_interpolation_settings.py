import copy

import pytest
import yaml
from tests.helpers import REPOSITORY

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process import SPACE_KERNELS, TIME_KERNELS
from spatial_prediction.studies.interpolation.config import (
    AVERAGE,
    CONDITIONING,
    WEATHER_MODELS,
    Frames,
    kernels_of,
)
from spatial_prediction.studies.interpolation.validation import averaged_in, masks_of, models_of, validated

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))


def merged(base, overlay):
    both = {key: merged(base[key], value) for key, value in overlay.items() if isinstance(value, dict)}
    return base | overlay | both


def changed(key, value):
    config = copy.deepcopy(DEFAULTS)
    *sections, name = key.split(".")
    part = config["interpolation"]
    for section in sections:
        part = part[section]
    part[name] = value
    return config


def test_the_default_is_four_pairs_and_two_models_of_weather_on_both_types_of_masks():
    section = validated(DEFAULTS, SCHEMA)
    assert models_of(section) == [
        "matern-matern", "matern-rbf", "softdisabled-matern", "softdisabled-rbf",
        "static_product", "static_modulated",
    ]  # fmt: skip
    assert list(masks_of(section)) == ["fixed_0.8_seed0", "dynamic_0.8_seed0"]


def test_the_reference_study_is_144_fits():
    overlay = yaml.safe_load((REPOSITORY / "config/interpolation_reference.yaml").read_text(encoding="utf-8"))
    assert validated(merged(DEFAULTS, overlay), SCHEMA) == (
        section := merged(DEFAULTS, overlay)["interpolation"]
    )
    assert len(models_of(section)) * len(masks_of(section)) == 144
    assert masks_of(section)["fixed_0.9_seed0"]["stream"] == "reference"


def test_names_of_kernels_and_protocols_are_those_of_the_library():
    shape = SCHEMA["properties"]["interpolation"]["properties"]
    models = shape["models"]["properties"]
    assert set(models["time_kernels"]["items"]["enum"]) == set(TIME_KERNELS)
    assert set(models["space_kernels"]["items"]["enum"]) == set(SPACE_KERNELS)
    assert tuple(models["weather"]["items"]["enum"]) == (*WEATHER_MODELS, AVERAGE)
    evaluation = shape["evaluation"]["properties"]
    assert evaluation["headline"]["enum"] == evaluation["condition_on"]["items"]["enum"] == list(CONDITIONING)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("frames.train", 31, "the field has 36; lower the numbers"),
        ("field.synthetic.rows", 400, "at most 6000 can be fitted"),
        ("field.source", "netcdf", "interpolation.field.netcdf.path: is null; name the file"),
        ("masks.probabilities", [0.12345678], "has more than six digits"),
        ("masks.probabilities", [1.0], "must be below 1"),
        ("evaluation.headline", "all", "must be among condition_on"),
        ("models.time_kernels", ["wavelet"], "must be one of rbf, matern"),
    ],
)
def test_faults_are_named_with_their_remedy(key, value, message):
    with pytest.raises(ConfigurationError) as raised:
        validated(changed(key, value), SCHEMA)
    assert message in str(raised.value)
    assert "interpolation." in str(raised.value)


def test_no_model_at_all_is_refused():
    config = changed("models", {"time_kernels": [], "space_kernels": ["rbf"], "weather": []})
    with pytest.raises(ConfigurationError, match="names no model"):
        validated(config, SCHEMA)


def test_an_average_is_of_all_models_of_weather_that_are_named():
    weather = ["static_product", "average", "static_coastal"]
    section = changed("models", {"time_kernels": ["rbf"], "space_kernels": ["rbf"], "weather": weather})
    section = validated(section, SCHEMA)
    assert averaged_in(section) == ["static_product", "static_coastal"]
    assert models_of(section) == ["rbf-rbf", *weather]
    lonely = changed(
        "models", {"time_kernels": [], "space_kernels": [], "weather": ["average", "static_product"]}
    )
    with pytest.raises(ConfigurationError, match="of two models or more"):
        validated(lonely, SCHEMA)


def test_frames_belong_to_consecutive_parts():
    frames = Frames(5, 2, 3)
    assert [list(frames.of(part)) for part in ("train", "validation", "test")] == [
        [0, 1, 2, 3, 4], [5, 6], [7, 8, 9],
    ]  # fmt: skip
    assert [frames.part_of(frame) for frame in (4, 5, 7)] == ["train", "validation", "test"]


def test_a_model_that_is_no_pair_of_kernels_is_refused():
    assert kernels_of("matern-rbf") == ("matern", "rbf")
    with pytest.raises(ConfigurationError, match="as in matern-rbf"):
        kernels_of("matern")
