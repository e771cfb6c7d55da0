# Every scene of a folder upscaled by one network, each in a job of its own.

from snakemake.io import contains_wildcard
from spatial_prediction.rasters.listing import list_scenes
from spatial_prediction.upscaling.settings import SUFFIXES, UpscaleSettings

try:
    check_shape(config, SCHEMA, ["upscaling"])
    UPSCALING = dict(config["upscaling"])
    config["upscaling"] = UPSCALING = UPSCALING | {
        key: os.path.expanduser(UPSCALING[key]) if UPSCALING[key] else None for key in ("scenes", "model")
    }
    UPSCALE_SETTINGS = {
        key: value
        for key, value in UPSCALING.items()
        if key not in ("scenes", "pattern", "model") and value is not None
    }
    UpscaleSettings(**UPSCALE_SETTINGS | {"bands": tuple(UPSCALING["bands"])})
    TO_UPSCALE = {}
    if UPSCALING["scenes"] is not None:
        found = list_scenes(UPSCALING["scenes"], UPSCALING["pattern"])
        TO_UPSCALE = {path.stem: str(path) for path in found}
        if len(TO_UPSCALE) < len(found):
            raise WorkflowError(
                f"upscaling.scenes: scenes of {UPSCALING['scenes']!r} differ in their endings only, and would "
                "give one output; choose some by upscaling.pattern"
            )
        for scene in TO_UPSCALE.values():
            if contains_wildcard(scene):
                raise WorkflowError(
                    f"upscaling.scenes: {scene!r} has braces in its name, which Snakemake takes for wildcards; "
                    "rename it, or leave it out by upscaling.pattern"
                )
        if UPSCALING["model"] is None:
            raise WorkflowError("upscaling.model: is null; name the file of a trained network")
    elif config["studies"] == ["upscaling"]:
        raise WorkflowError("upscaling.scenes: is null; name the folder of the scenes to upscale")
except SpatialPredictionError as error:
    raise WorkflowError(f"upscaling: {error}")

UPSCALED = f"{RESULTS}/upscaled/{{scene}}{SUFFIXES[UPSCALING['format']][0]}"
WANTED += expand(UPSCALED, scene=TO_UPSCALE)


use rule run_script as upscale_scene with:
    input:
        scene=lambda wildcards: TO_UPSCALE[wildcards.scene],
        model=UPSCALING["model"] or [],
        code=code("upscaling/upscale_scene"),
    output:
        out=UPSCALED,
    log:
        f"{LOGS}/upscale_scene/{{scene}}.log",
    resources:
        **growing(mem_mb=2000, runtime=60),
    params:
        files=files,
        settings=flags(**UPSCALE_SETTINGS),
