# Scenes from one of three sources, then arrays for training and testing.

DATASET = config["dataset"]
SCENES = {
    "synthetic": f"{RESOURCES}/synthetic",
    "directory": DATASET["directory"]["path"],
    "fairdata": f"{RESOURCES}/fairdata",
}[DATASET["source"]]
PATTERN = DATASET["directory"]["pattern"] if DATASET["source"] == "directory" else "*.nc"
SYNTHETIC_SCENES = [
    f"{RESOURCES}/synthetic/{index:06d}.nc" for index in range(DATASET["synthetic"]["scenes"])
]


def scenes(wildcards):
    """Files that tell whether the scenes have changed."""
    if DATASET["source"] == "synthetic":
        return SYNTHETIC_SCENES
    if DATASET["source"] == "fairdata":
        return f"{RESOURCES}/fairdata/manifest.json"
    return sorted(map(str, Path(SCENES).glob(PATTERN)))


def scene_order_flags():
    if (path := DATASET["permutation_file"]) is not None:
        return f"--permutation-file {path}"
    return f"--permutation-seed {DATASET['permutation_seed']}"


rule build_synthetic_scenes:
    input:
        code=code("build_synthetic_scenes"),
    output:
        SYNTHETIC_SCENES,
    log:
        f"{LOGS}/build_synthetic_scenes.log",
    params:
        directory=f"{RESOURCES}/synthetic",
        settings=flags(DATASET["synthetic"]),
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/build_synthetic_scenes.py --directory {params.directory}"
        " {params.settings} 2> {log}"


rule retrieve_scenes:
    input:
        code=code("retrieve_scenes"),
    output:
        f"{RESOURCES}/fairdata/manifest.json",
    log:
        f"{LOGS}/retrieve_scenes.log",
    params:
        directory=f"{RESOURCES}/fairdata",
        settings=flags(
            {key: value for key, value in DATASET["fairdata"].items() if value is not None}
        ),
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/retrieve_scenes.py --directory {params.directory}"
        " {params.settings} --manifest {output} 2> {log}"


rule build_arrays:
    input:
        scenes=scenes,
        order=DATASET["permutation_file"] or [],
        code=code("build_arrays"),
    output:
        train=f"{RESOURCES}/arrays/train.npy",
        test=f"{RESOURCES}/arrays/test.npy",
        summary=f"{RESOURCES}/arrays/summary.json",
    log:
        f"{LOGS}/build_arrays.log",
    params:
        scenes=SCENES,
        pattern=PATTERN,
        order=scene_order_flags(),
        size=DATASET["scene_size"],
        test_scenes=DATASET["test_scenes"],
        bad_scenes=DATASET["bad_scenes"],
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/build_arrays.py --scenes {params.scenes:q} --pattern {params.pattern:q}"
        " --size {params.size} --test-scenes {params.test_scenes} {params.order}"
        " --bad-scenes {params.bad_scenes} --train {output.train} --test {output.test}"
        " --summary {output.summary} 2> {log}"
