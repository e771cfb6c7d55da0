# What the rules of the padding study share: its checked configuration, presets and seeds, paths for each run, figures
# and tables.

from spatial_prediction.studies.super_resolution.presets import paddings_in_use
from spatial_prediction.studies.super_resolution.validation import normalised, validated

try:
    PRESETS = validated(config, SCHEMA)
    config.update(normalised(config))
except SpatialPredictionError as error:
    raise WorkflowError(str(error))

SEEDS = config["seeds"]
OUTPUT_CROPS = sorted({preset.output_crop for preset in PRESETS.values()})
PER_JOB = config["training"]["seeds_per_job"]
SEED_GROUPS = ["-".join(map(str, SEEDS[first : first + PER_JOB])) for first in range(0, len(SEEDS), PER_JOB)]


wildcard_constraints:
    preset="|".join(map(re.escape, PRESETS)),
    seed=r"\d+",
    kind="training|inference",
    output_crop=r"\d+",


def preset_flags(wildcards):
    """A preset as options."""
    return flags(preset=wildcards.preset, **vars(PRESETS[wildcards.preset]))


def crops(presets):
    """Output crops of presets, as figure scripts take them."""
    return json.dumps({name: PRESETS[name].output_crop for name in presets})


def per_run(pattern, presets=PRESETS):
    """A path for each preset and seed."""
    return expand(f"{RESULTS}/{pattern}", preset=presets, seed=SEEDS)


def trained_with(wildcards):
    """Folder of the job that trains a seed."""
    (group,) = (group for group in SEED_GROUPS if wildcards.seed in group.split("-"))
    return f"{RESULTS}/training/{wildcards.preset}/seeds_{group}"


def scenes(wildcards):
    """Files that show whether the scenes have changed."""
    if DATASET["source"] == "synthetic":
        return SYNTHETIC_SCENES
    if DATASET["source"] == "fairdata":
        return f"{RESOURCES}/fairdata/manifest.json"
    return DIRECTORY_SCENES


def scene_order():
    """The one setting that orders the scenes."""
    key = "permutation_seed" if DATASET["permutation_file"] is None else "permutation_file"
    return settings_of("dataset", key)


# a trained network, by the wildcards preset and seed
NETWORK_FILE = f"{RESULTS}/models/{{preset}}/seed_{{seed}}.safetensors"
# networks whose output is shown
MODELS = {preset: NETWORK_FILE.format(preset=preset, seed=SEEDS[0]) for preset in PRESETS}
TABLE_FORMATS = ["csv", "html", "md", "tex"]


def figure(name, category, title, *, of=""):
    """Output of a figure rule; the report shows the PNG. ``of`` is what names of several such figures end in."""
    paths = {format: f"{RESULTS}/figures/{name}{of}.{format}" for format in FORMATS}
    labels = {"result": title}  # a second label that values share would break the page
    paths["png"] = report(paths["png"], caption=f"../../report/{name}.rst", category=category, labels=labels)
    return list(paths.values())


def table(name, category, title):
    """Output of a table rule; the report shows the HTML."""
    paths = {format: f"{RESULTS}/tables/{name}.{format}" for format in TABLE_FORMATS}
    labels = {"result": f"{title} (table)"}
    paths["html"] = report(
        paths["html"], caption=f"../../report/{name}_table.rst", category=category, labels=labels
    )
    return list(paths.values())


def networks(wildcards):
    """Weights of all seeds of a preset."""
    return [NETWORK_FILE.format(preset=wildcards.preset, seed=seed) for seed in SEEDS]


def seam_tables(kind):
    """Tables to read, as options: the order of files, in which rows stand, is not compared of inputs."""
    return flags(seams=MEASURED_SEAMS[kind])
