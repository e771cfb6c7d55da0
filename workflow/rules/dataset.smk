# Scenes from one of three sources, then arrays for training and testing.

from snakemake.io import contains_wildcard

DATASET = config["dataset"]
SCENES = {
    "synthetic": f"{RESOURCES}/synthetic",
    "directory": DATASET["directory"]["path"],
    "fairdata": f"{RESOURCES}/fairdata",
}[DATASET["source"]]
PATTERN = DATASET["directory"]["pattern"] if DATASET["source"] == "directory" else "*.nc"
DIRECTORY_SCENES = [
    str(path)
    for path in (sorted(Path(SCENES).glob(PATTERN)) if DATASET["source"] == "directory" else [])
    if path.is_file() and not path.name.startswith(".")
]
if DATASET["source"] == "directory" and not DIRECTORY_SCENES:
    raise WorkflowError(
        f"dataset.directory.path: the folder {SCENES!r} holds no file that fits {PATTERN!r}; "
        "put scenes there (docs/data.md) or name another folder or pattern"
    )
for path in DIRECTORY_SCENES:
    if contains_wildcard(path):
        raise WorkflowError(
            f"dataset.directory.path: {path!r} has letters in braces, which are wildcards to Snakemake; "
            "rename the file or folder, or choose a pattern that leaves it out"
        )
SYNTHETIC_SCENES = [
    f"{RESOURCES}/synthetic/{index:06d}.nc" for index in range(DATASET["synthetic"]["scenes"])
]


rule build_synthetic_scenes:
    input:
        code=code("build_synthetic_scenes"),
    output:
        SYNTHETIC_SCENES,
    log:
        f"{LOGS}/build_synthetic_scenes.log",
    conda:
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=30),
    params:
        directory=folder,
        settings=flags(DATASET["synthetic"]),
    shell:
        "python {input.code[0]} --directory {params.directory}" " {params.settings} 2> {log}"


rule retrieve_scenes:
    input:
        archives=DATASET["fairdata"]["archive_list"] or [],
        code=code("retrieve_scenes"),
    output:
        f"{RESOURCES}/fairdata/manifest.json",
    log:
        f"{LOGS}/retrieve_scenes.log",
    conda:
        "../../envs/cpu.yaml"
    threads: 4
    resources:
        **growing(mem_mb=2000, runtime=1440),
    params:
        directory=folder,
        settings=flags({key: value for key, value in DATASET["fairdata"].items() if value is not None}),
    shell:
        "python {input.code[0]} --directory {params.directory}"
        " {params.settings} --parallel {threads} --manifest {output} 2> {log}"


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
    conda:
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=240),
    params:
        scenes=SCENES,
        pattern=PATTERN,
        order=scene_order_flags(),
        size=DATASET["scene_size"],
        test_scenes=DATASET["test_scenes"],
        bad_scenes=DATASET["bad_scenes"],
        offset=DATASET["offset"],
    shell:
        "python {input.code[0]} --scenes {params.scenes:q} --pattern {params.pattern:q}"
        " --size {params.size} --test-scenes {params.test_scenes} {params.order}"
        " --bad-scenes {params.bad_scenes} --offset={params.offset} --train {output.train} --test {output.test}"
        " --summary {output.summary} 2> {log}"
