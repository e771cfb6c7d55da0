# Scenes from one of three sources, then arrays for training and testing.

from snakemake.io import contains_wildcard

DATASET = config["dataset"]
SCENES = {
    "synthetic": f"{RESOURCES}/synthetic",
    "directory": DATASET["directory"]["path"],
    "fairdata": f"{RESOURCES}/fairdata",
}[DATASET["source"]]
PATTERN = DATASET["directory"]["pattern"] if DATASET["source"] == "directory" else "*.nc"
MEANING = ["bands", "scale", "nodata"] if DATASET["source"] == "directory" else []
SYNTHETIC_SCENES = [
    f"{RESOURCES}/synthetic/{index:06d}.nc" for index in range(DATASET["synthetic"]["scenes"])
]
DIRECTORY_SCENES = []
try:
    if DATASET["source"] == "directory":
        from spatial_prediction.rasters.listing import list_scenes

        DIRECTORY_SCENES = list(map(str, list_scenes(SCENES, PATTERN)))
        for scene in DIRECTORY_SCENES:
            if contains_wildcard(scene):
                raise WorkflowError(
                    f"dataset.directory: the scene {scene!r} has braces in its name, which Snakemake takes for "
                    "wildcards; rename it, or leave it out by dataset.directory.pattern"
                )
        if DATASET["test_scenes"] >= len(DIRECTORY_SCENES):
            raise WorkflowError(
                f"dataset.test_scenes is {DATASET['test_scenes']} of the {len(DIRECTORY_SCENES)} scenes in "
                f"{SCENES!r}; leave at least one for training"
            )
    if DATASET["permutation_file"] is not None and DATASET["source"] != "fairdata":
        from spatial_prediction.studies.super_resolution.data import permutation

        permutation.scene_order(len(DIRECTORY_SCENES or SYNTHETIC_SCENES), file=DATASET["permutation_file"])
except SpatialPredictionError as error:
    key = "permutation_file" if DIRECTORY_SCENES or DATASET["source"] != "directory" else "directory"
    raise WorkflowError(f"dataset.{key}: {error}")


use rule run_script as build_synthetic_scenes with:
    input:
        code=code("super_resolution/build_synthetic_scenes"),
    output:
        SYNTHETIC_SCENES,
    log:
        f"{LOGS}/build_synthetic_scenes.log",
    resources:
        **growing(mem_mb=2000, runtime=30),
    params:
        directory=folder,
        settings=flags(**DATASET["synthetic"]),


use rule run_script as retrieve_scenes with:
    input:
        DATASET["fairdata"]["archive_list"] or [],
        code=code("super_resolution/retrieve_scenes"),
    output:
        manifest=f"{RESOURCES}/fairdata/manifest.json",
    log:
        f"{LOGS}/retrieve_scenes.log",
    threads: 4
    resources:
        **growing(mem_mb=2000, runtime=1440),
    params:
        directory=folder,
        parallel=lambda wildcards, threads: flags(parallel=threads),
        settings=flags(**DATASET["fairdata"]),


use rule run_script as build_arrays with:
    input:
        scenes,
        DATASET["permutation_file"] or [],
        code=code("super_resolution/build_arrays"),
    output:
        train=f"{RESOURCES}/arrays/train.npy",
        test=f"{RESOURCES}/arrays/test.npy",
        summary=f"{RESOURCES}/arrays/summary.json",
    log:
        f"{LOGS}/build_arrays.log",
    resources:
        **growing(mem_mb=2000, runtime=240),
    params:
        settings=flags(
            scenes=SCENES,
            pattern=PATTERN,
            size=DATASET["scene_size"],
            **settings_of("dataset", "test_scenes", "bad_scenes", "offset"),
            **scene_order(),
            **{key: DATASET["directory"][key] for key in MEANING},
        ),
