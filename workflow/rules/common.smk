# What the rules of all studies use: the common part of the configuration, paths, code dependencies, command-line flags.

import json
import os
import shlex
import sys
from pathlib import Path

import yaml

from spatial_prediction import process_lock
from spatial_prediction.command import JOB_ENVIRONMENT
from spatial_prediction.configuration import COMMON_KEYS, PLACES, check_folders, check_places, check_shape
from spatial_prediction.errors import SpatialPredictionError
from spatial_prediction.normalisation import PLACES_VARIABLE, typed, with_plain_paths
from spatial_prediction.provenance import code_dependencies
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger as snakemake_logger

try:
    with open(workflow.source_path("../schemas/config.schema.yaml")) as schema:
        SCHEMA = yaml.safe_load(schema)
    config.update(typed(config, SCHEMA))
    check_shape(config, SCHEMA, COMMON_KEYS)
    check_places(config)
    config.update(with_plain_paths(config, PLACES))
    check_folders(config)
except SpatialPredictionError as error:
    raise WorkflowError(str(error))

# A study that is named as a target is read, too. Jobs that Snakemake starts by itself, on other nodes say, are not
# told of targets, so they learn of it by a variable.
NAMED_STUDIES = "SPATIAL_PREDICTION_STUDIES"
if workflow.is_main_process:
    known = SCHEMA["properties"]["studies"]["items"]["enum"]
    os.environ[NAMED_STUDIES] = " ".join(study for study in known if study in sys.argv[1:])
STUDIES = list(dict.fromkeys([*config["studies"], *os.environ.get(NAMED_STUDIES, "").split()]))
config["studies"] = STUDIES  # which the report's first page reads

RESULTS = config["results"]
RESOURCES = config["resources"]
LOGS = f"{RESULTS}/logs"
# What all studies that are asked for are to make; each adds its own.
WANTED = []
ENVIRONMENTS = Path(workflow.basedir, "envs")
# Scripts run through the library of this checkout, in whatever environment (--sdm conda), and compile equal
# programs once, or once for several studies.
LIBRARY = shlex.quote(str(Path(workflow.basedir, "src")))
VARIABLES = {
    process_lock.WORKING_VARIABLE: process_lock.WORKING,
    "SPATIAL_PREDICTION_COMPILED": os.environ.get("SPATIAL_PREDICTION_COMPILED")
    or f"{RESOURCES}/compiled_programs",
    **JOB_ENVIRONMENT,
}
EXPORTED = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in VARIABLES.items())
shell.prefix(f"set -euo pipefail; export PYTHONPATH={LIBRARY}${{{{PYTHONPATH:+:$PYTHONPATH}}}} {EXPORTED}; ")

if workflow.is_main_process:
    # shows run_study.py, after a kill, that no Snakemake is at work here any more
    process_lock.hold(process_lock.RUNNING)
    if places := os.environ.get(PLACES_VARIABLE):
        # a study by itself has a report of its own; that of paddings, which there was first, lies above the others
        report_of = (
            RESULTS if len(STUDIES) > 1 or "super_resolution" in STUDIES else f"{RESULTS}/{STUDIES[0]}"
        )
        described = {
            "results": os.path.abspath(RESULTS),
            "report": os.path.abspath(f"{report_of}/report.html"),
        }
        Path(places).write_text(json.dumps(described), encoding="utf-8")


def brief(record):
    """Count a job's library modules in log lines instead of naming them all."""
    if isinstance(inputs := getattr(record, "input", None), list):
        modules = os.path.relpath(Path(workflow.basedir, "src"))
        others = [path for path in inputs if not str(path).startswith(modules)]
        if len(inputs) > len(others):
            record.input = [*others, f"{len(inputs) - len(others)} files of {modules}"]
    return True


snakemake_logger.addFilter(brief)


def code(script):
    """A script (STUDY/NAME) and the library modules it runs through: editing one makes the stage stale."""
    path = Path(workflow.basedir, "scripts", f"{script}.py")
    # relative, so that a checkout can be moved together with its results
    return [os.path.relpath(file) for file in (path, *code_dependencies(path))]


def flags(**settings):
    """Settings as options for the shell: {"batch_size": 4} -> "--batch-size=4".

    Snakemake compares a rule's params as a set of values, without their names: two that are swapped would
    go unseen. So all params are text with the names in it. Lists become "--seeds 0 1"; None is left out.
    """
    words = []
    for name, value in settings.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, list):
            words += [option, *map(str, value)]
        elif value is not None:
            words.append(f"{option}={value}")
    return shlex.join(words)


def settings_of(section, *keys):
    """Some settings of a section of the configuration, by name."""
    return {key: config[section][key] for key in keys}


def growing(**amounts):
    """Resources (mem_mb, runtime in minutes) that grow with each attempt, for jobs that ran out of them."""
    return {
        name: lambda wildcards, attempt, amount=amount: attempt * amount for name, amount in amounts.items()
    }


def files(wildcards, input, output):
    """Every named input and output as the option of that name; what has no name is only depended on."""
    named = {**dict(input.items()), **dict(output.items())}
    del named["code"]
    return flags(**named)


def folder(wildcards, output):
    """Folder of the outputs as an option."""
    return flags(directory=Path(output[0]).parent)


def figure_option(wildcards, output):
    """Path of a figure's files, without suffix, as an option."""
    return flags(figure=Path(output[0]).with_suffix(""))


def table_option(wildcards, output):
    """Path of a table's files, without suffix, as an option."""
    return flags(table=Path(output[0]).with_suffix(""))
