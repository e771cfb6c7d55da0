# What every rule file uses: the checked configuration, paths, code dependencies, command-line flags.

import json
from pathlib import Path

import yaml

from spatial_prediction.config import PRESETS as KNOWN_PRESETS, validated
from spatial_prediction.errors import SpatialPredictionError
from spatial_prediction.provenance import code_dependencies
from snakemake.exceptions import WorkflowError

try:
    with open(workflow.source_path("../schemas/config.schema.yaml")) as schema:
        PRESETS = validated(config, yaml.safe_load(schema))
except SpatialPredictionError as error:
    raise WorkflowError(str(error))

RESULTS = config["results"]
RESOURCES = config["resources"]
LOGS = f"{RESULTS}/logs"
SCRIPTS = f"{workflow.basedir}/scripts"
SEEDS = config["seeds"]
CROPS = json.dumps({name: preset.output_crop for name, preset in PRESETS.items()})

# Jobs of one study compile equal programs once.
envvars_compiled = f"export SPATIAL_PREDICTION_COMPILED={RESOURCES}/compiled_programs; "


wildcard_constraints:
    preset="|".join(map(re.escape, PRESETS)),
    seed=r"\d+",
    kind="training|inference",


def code(script):
    """The script and the library modules it runs through: editing one makes the stage stale."""
    path = f"{SCRIPTS}/{script}.py"
    return [path, *map(str, code_dependencies(path))]


def flags(settings):
    """Settings as command-line options: {"batch_size": 4} -> "--batch-size 4"."""
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.items())


def preset_flags(wildcards):
    preset = PRESETS[wildcards.preset]
    return (
        f"--padding {preset.padding} --upscale-padding {preset.upscale_padding}"
        f" --output-crop {preset.output_crop}"
    )


def per_run(pattern, presets=PRESETS):
    """A path for each preset and seed."""
    return expand(f"{RESULTS}/{pattern}", preset=presets, seed=SEEDS)
