# Cubes to compress, and the networks that are trained on others, or were by their authors.


def source_of_cube(wildcards):
    """What a cube is made of, as options."""
    if wildcards.cube not in TO_READ:
        return flags(**COMPRESSION["cubes"]["synthetic"])
    return flags(**{part: str(path) for part, path in TO_READ[wildcards.cube]._asdict().items()})


def training_cubes(wildcards):
    """Files of the cubes that a network is trained on; none where they are synthetic."""
    return expand(CUBE_FILE, cube=SEEN_BY[wildcards.network])


use rule run_script as build_cube with:
    input:
        lambda wildcards: [str(path) for path in TO_READ.get(wildcards.cube, [])],
        code=code("compression/build_cube"),
    output:
        output=CUBE_FILE,
    log:
        f"{LOGS}/build_cube/{{cube}}.log",
    params:
        files=files,
        settings=source_of_cube,


use rule run_script as train_linerwkv with:
    input:
        training_cubes,
        code=code("compression/train_linerwkv"),
    output:
        output=LINERWKV_FILE,
    log:
        f"{LOGS}/train_linerwkv/{{network}}.log",
    resources:
        **growing(mem_mb=4000, runtime=240),
    params:
        files=files,
        # the order of cubes, in which patches are drawn, is no part of what Snakemake compares of inputs
        cubes=lambda wildcards: flags(cubes=training_cubes(wildcards)),
        synthetic=flags(
            count=COMPRESSION["training"]["synthetic"]["cubes"],
            **{
                f"synthetic_{key}": value
                for key, value in COMPRESSION["training"]["synthetic"].items()
                if key != "cubes"
            },
        ),
        settings=flags(**network_settings(COMPRESSION)),


use rule run_script as retrieve_linerwkv with:
    input:
        code=code("compression/retrieve_linerwkv"),
    output:
        output=FETCHED_WEIGHTS,
    log:
        f"{LOGS}/retrieve_linerwkv.log",
    params:
        files=files,
        settings=flags(size=PUBLISHED_SIZE),


use rule run_script as build_linerwkv with:
    input:
        weights=WEIGHTS_HERE or FETCHED_WEIGHTS,
        code=code("compression/build_linerwkv"),
    output:
        output=PUBLISHED_LINERWKV,
    log:
        f"{LOGS}/build_linerwkv.log",
    params:
        files=files,
        settings=flags(size=PUBLISHED_SIZE),
