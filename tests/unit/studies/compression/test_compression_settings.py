import copy

import pytest
import yaml
from tests.helpers import REPOSITORY

from spatial_prediction.errors import ConfigurationError, SceneError
from spatial_prediction.studies.compression.config import (
    NETWORK_SOURCES,
    PEERS,
    PREDICTORS,
    PUBLISHED_SIZES,
    SIZES,
    TRAINING_DATA,
)
from spatial_prediction.studies.compression.validation import (
    codecs_of,
    needs_network,
    network_settings,
    networks_of,
    published_weights,
    raw_cubes,
    training_raw_cubes,
    trains_network,
    validated,
)

SCHEMA = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))


def changed(**values):
    config = copy.deepcopy(DEFAULTS)
    for key, value in values.items():
        *sections, name = key.split("__")
        part = config["compression"]
        for section in sections:
            part = part[section]
        part[name] = value
    return config


def test_the_default_is_every_predictor_with_four_errors_and_peers_with_two():
    section = validated(DEFAULTS, SCHEMA)
    codecs = codecs_of(section)
    assert len(codecs) == len(set(codecs)) == 5 * 4 + 12 * 2
    assert {codec for codec, _ in codecs} == {*PREDICTORS, *section["peers"]["codecs"]}
    assert needs_network(section)
    assert network_settings(section)["size"] == "xs"
    assert raw_cubes(section) == training_raw_cubes(section) == {}


def test_names_in_the_schema_are_those_of_the_library():
    shape = SCHEMA["properties"]["compression"]["properties"]
    assert tuple(shape["predictors"]["items"]["enum"]) == PREDICTORS
    assert tuple(shape["peers"]["properties"]["codecs"]["items"]["enum"]) == PEERS
    training = shape["training"]["properties"]
    assert tuple(training["size"]["enum"]) == SIZES
    assert tuple(training["data"]["enum"]) == TRAINING_DATA
    network = shape["network"]["properties"]
    assert tuple(network["source"]["enum"]) == NETWORK_SOURCES
    assert tuple(network["published"]["properties"]["size"]["enum"]) == PUBLISHED_SIZES


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cubes__source": "directory"}, "compression.cubes.directory.path: is null; name the folder"),
        ({"training__data": "directory"}, "compression.training.directory.path: is null; name the folder"),
        ({"training__data": "others"}, "is 'others', and there is one synthetic cube"),
        ({"cubes__synthetic__seed": 103}, "is 103, one of 100 to 105, which the network is trained on"),
        ({"predictors": [], "peers__codecs": []}, "compression.predictors: names none"),
        ({"predictors": ["wavelet"]}, "must be one of dpcm, ccsds123"),
        ({"peers__codecs": ["jpegls-rows"]}, "must be one of zstd-bands"),
        ({"deltas": [1, 2]}, "compression.deltas: is [1, 2]; must contain 0"),
        ({"network__source": "none"}, "compression.network.source: is 'none'; must be one of trained"),
        ({"network__published": {"size": "l", "path": None}}, "published.size: is 'l'; must be one of xs"),
        ({"training__lines": 1}, "compression.training.lines: is 1; must be at least 2"),
    ],
)
def test_faults_are_named_with_their_remedy(changes, message):
    with pytest.raises(ConfigurationError) as raised:
        validated(changed(**changes), SCHEMA)
    assert message in str(raised.value)
    assert "compression." in str(raised.value)


def test_a_seed_of_training_does_not_matter_where_nothing_is_trained():
    section = validated(changed(predictors=["ccsds123"], cubes__synthetic__seed=103), SCHEMA)
    assert not needs_network(section)


def test_nothing_is_trained_where_the_published_network_codes(tmp_path):
    config = changed(network__source="published", cubes__synthetic__seed=103, training__data="directory")
    config["compression"]["training"]["directory"]["path"] = str(tmp_path / "none")
    section = validated(config, SCHEMA)
    assert needs_network(section)
    assert not trains_network(section)
    assert published_weights(section) is None
    assert training_raw_cubes(section) == {}


def test_a_copy_of_the_published_network_must_be_there_where_it_is_needed(tmp_path):
    path = tmp_path / "rwkv-final.pth"
    config = changed(network__source="published", network__published={"size": "s", "path": str(path)})
    with pytest.raises(ConfigurationError, match=r"published\.path: there is no file .*rwkv-final\.pth"):
        published_weights(validated(config, SCHEMA))
    config["compression"]["network"]["source"] = "trained"
    assert published_weights(validated(config, SCHEMA)) is None
    path.touch()
    config["compression"]["network"]["source"] = "published"
    assert published_weights(validated(config, SCHEMA)) == str(path)
    config["compression"]["predictors"] = ["ccsds123"]
    assert published_weights(validated(config, SCHEMA)) is None


def folder_of(tmp_path, *names):
    for name in names:
        (tmp_path / name).touch()
        (tmp_path / name).with_suffix(".json").touch()
    return changed(
        cubes__source="directory",
        cubes__directory={"path": str(tmp_path), "pattern": "*"},
        training__data="others",
    )


def test_each_cube_of_a_folder_gets_a_network_that_has_not_seen_it(tmp_path):
    section = validated(folder_of(tmp_path, "jasper.bsq", "potsdam.bil"), SCHEMA)
    cubes = raw_cubes(section)
    assert {name: (cube.raw.name, cube.description.name) for name, cube in cubes.items()} == {
        "jasper": ("jasper.bsq", "jasper.json"),
        "potsdam": ("potsdam.bil", "potsdam.json"),
    }
    assert networks_of(section, list(cubes)) == {"jasper": "without_jasper", "potsdam": "without_potsdam"}


def test_one_cube_leaves_none_to_train_on(tmp_path):
    with pytest.raises(ConfigurationError, match=r"has one cube; add cubes, or train on synthetic"):
        raw_cubes(validated(folder_of(tmp_path, "jasper.bsq"), SCHEMA))


def test_cubes_that_would_share_their_results_are_refused(tmp_path):
    section = validated(folder_of(tmp_path, "a.bsq", "a.bil"), SCHEMA)
    with pytest.raises(ConfigurationError, match="differ in their endings only"):
        raw_cubes(section)
    (tmp_path / "a.bil").rename(tmp_path / "a {x}.bil")
    with pytest.raises(ConfigurationError, match="rename it"):
        raw_cubes(section)


def test_a_raw_file_needs_exactly_one_description(tmp_path):
    section = validated(folder_of(tmp_path, "a.bsq", "b.bsq"), SCHEMA)
    (tmp_path / "b.bsq.hdr").touch()
    with pytest.raises(SceneError, match=r"described by b\.bsq\.hdr, b\.json; there must be one"):
        raw_cubes(section)
    (tmp_path / "b.bsq.hdr").unlink()
    (tmp_path / "b.json").unlink()
    with pytest.raises(SceneError, match="described by none"):
        raw_cubes(section)
