# Every cube by every codec with every largest error, each decoded and compared; and what predictors miss.

MEASURED = f"{COMPRESSED}/measurements/{{cube}}/{{codec}}/delta_{{delta}}.parquet"
RESIDUALS = f"{COMPRESSED}/residuals/{{cube}}/{{codec}}.safetensors"
ALL_MEASUREMENTS = [
    path for codec, delta in CODECS for path in expand(MEASURED, cube=CUBES, codec=codec, delta=delta)
]


def network_file(wildcards):
    """The network that a codec needs; none for others."""
    if wildcards.codec not in WITH_NETWORK:
        return []
    if not trains_network(COMPRESSION):
        return PUBLISHED_LINERWKV
    return LINERWKV_FILE.format(network=NETWORK_OF[wildcards.cube])


def codec_options(wildcards):
    """Codec, and its network if it needs one, as options."""
    return flags(codec=wildcards.codec, network=network_file(wildcards) or None)


use rule run_script as benchmark_codec with:
    input:
        network_file,
        cube=CUBE_FILE,
        code=code("compression/benchmark_codec"),
    output:
        output=MEASURED,
    log:
        f"{LOGS}/benchmark_codec/{{cube}}/{{codec}}/delta_{{delta}}.log",
    resources:
        **growing(mem_mb=3000, runtime=30),
    params:
        files=files,
        codec=codec_options,
        delta=lambda wildcards: flags(delta=wildcards.delta),
        settings=flags(repeats=COMPRESSION["repeats"]),


use rule run_script as evaluate_residuals with:
    input:
        network_file,
        cube=CUBE_FILE,
        code=code("compression/evaluate_residuals"),
    output:
        output=RESIDUALS,
    log:
        f"{LOGS}/evaluate_residuals/{{cube}}/{{codec}}.log",
    resources:
        **growing(mem_mb=3000, runtime=30),
    params:
        files=files,
        codec=codec_options,


use rule run_script as gather_measurements with:
    input:
        ALL_MEASUREMENTS,
        code=code("compression/gather_measurements"),
    output:
        output=f"{COMPRESSED}/measurements.parquet",
    log:
        f"{LOGS}/gather_measurements.log",
    params:
        files=files,
        # the order of tables, in which rows stand, is no part of what Snakemake compares of inputs
        settings=flags(measurements=ALL_MEASUREMENTS),
