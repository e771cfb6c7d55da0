# Fields over time from few observed pixels: every model on every choice of masks, beside one-line baselines.

from spatial_prediction.studies.interpolation.config import AVERAGE
from spatial_prediction.studies.interpolation.validation import (
    averaged_in,
    masks_of,
    models_of,
    validated as valid_interpolation,
)

try:
    config["interpolation"] = INTERPOLATION = valid_interpolation(config, SCHEMA)
except SpatialPredictionError as error:
    raise WorkflowError(str(error))

INTERPOLATED = f"{RESULTS}/interpolation"
FIELD_FILE = f"{RESOURCES}/interpolation/field.safetensors"
MASK_FILES = f"{RESOURCES}/interpolation/masks/{{mask}}.safetensors"
FIELD_MASKS = masks_of(INTERPOLATION)
PROCESSES = models_of(INTERPOLATION)
FITTED = [model for model in PROCESSES if model != AVERAGE]
FITTED_MODELS = "|".join(map(re.escape, FITTED))
FRAMES_OF_PARTS = INTERPOLATION["frames"]
# parts with a page for each frame, and that of the strip
PICTURED = [part for part in FRAMES_OF_PARTS if part in [*INTERPOLATION["figures"]["pages"], "test"]]
HEADLINE = {"headline": INTERPOLATION["evaluation"]["headline"]}


wildcard_constraints:
    mask="|".join(map(re.escape, FIELD_MASKS)),
    model="|".join(map(re.escape, PROCESSES)),


def per_process(pattern):
    """A path for each choice of masks and each model."""
    return expand(f"{INTERPOLATED}/{pattern}", mask=FIELD_MASKS, model=PROCESSES)


def per_fit(pattern):
    """A path for each choice of masks and each model that is fitted."""
    return expand(f"{INTERPOLATED}/{pattern}", mask=FIELD_MASKS, model=FITTED)


def interpolation_figure(name, title, *, of=""):
    """Output of a figure rule; the report shows the PNG. ``of`` is what names of several such figures end in."""
    formats = INTERPOLATION["figures"]["formats"]
    paths = {format: f"{INTERPOLATED}/figures/{name}{of}.{format}" for format in formats}
    paths["png"] = shown_interpolation(paths["png"], name, title)
    return list(paths.values())


def shown_interpolation(path, name, title):
    """A path of a result that the report shows."""
    return report(
        path, caption=f"../../report/{name}.rst", category="Interpolation", labels={"result": title}
    )


def interpolation_table(name, title):
    """Output of a table rule; the report shows the HTML."""
    paths = {format: f"{INTERPOLATED}/tables/{name}.{format}" for format in ["csv", "html", "md", "tex"]}
    paths["html"] = shown_interpolation(paths["html"], f"{name}_table", f"{title} (table)")
    return list(paths.values())


include: "field.smk"
include: "processes.smk"
include: "figures.smk"
