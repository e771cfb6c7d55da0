# Test errors of every network, padding errors on the feature maps of some, and what they make of tiles that meet.

EVALUATION = config["evaluation"]
TILES = flags(**settings_of("evaluation", "batch_size"), **settings_of("training", "low_res_size"))
UPSCALING = flags(**settings_of("model", "upscale_factor"))
PADDINGS = flags(paddings=EVALUATION["nmse_paddings"])


use rule run_script as evaluate_mse with:
    input:
        models=lambda wildcards: [
            NETWORK_FILE.format(preset=wildcards.preset, seed=seed) for seed in wildcards.seeds.split("-")
        ],
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/evaluate_mse"),
    output:
        output=f"{RESULTS}/evaluation/mse/{{preset}}/seed_{{seeds}}.parquet",
    log:
        f"{LOGS}/evaluate_mse/{{preset}}/seed_{{seeds}}.log",
    wildcard_constraints:
        seeds=r"\d+(-\d+)*",
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=TILES,


use rule run_script as evaluate_bilinear with:
    input:
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/evaluate_bilinear"),
    output:
        output=f"{RESULTS}/evaluation/bilinear.parquet",
    log:
        f"{LOGS}/evaluate_bilinear.log",
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=f"{TILES} {UPSCALING}",


use rule run_script as evaluate_nmse with:
    input:
        model=rules.export_model.output.model,
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/evaluate_nmse"),
    output:
        output=f"{RESULTS}/evaluation/nmse/{{preset}}/seed_{{seed}}.parquet",
    log:
        f"{LOGS}/evaluate_nmse/{{preset}}/seed_{{seed}}.log",
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=f"{TILES} {PADDINGS}",


use rule run_script as evaluate_crossings with:
    input:
        MODELS.values(),
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/evaluate_crossings"),
    output:
        output=f"{RESULTS}/evaluation/crossings.safetensors",
    log:
        f"{LOGS}/evaluate_crossings.log",
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        # the order of networks, in which pictures stand, is no part of what Snakemake compares of inputs
        settings=flags(
            models=list(MODELS.values()),
            scenes=config["figures"]["sample_scenes"],
            **settings_of("training", "low_res_size"),
        ),


GATHERED = {
    # the seeds that were trained in one job are evaluated in one
    "mse": expand(
        f"{RESULTS}/evaluation/mse/{{preset}}/seed_{{seeds}}.parquet", preset=PRESETS, seeds=SEED_GROUPS
    ),
    "nmse": per_run("evaluation/nmse/{preset}/seed_{seed}.parquet", EVALUATION["nmse_presets"]),
    "history": per_run("history/{preset}/seed_{seed}.parquet"),
}


use rule run_script as gather_evaluation with:
    input:
        lambda wildcards: GATHERED[wildcards.table],
        code=code("super_resolution/gather_evaluation"),
    output:
        output=f"{RESULTS}/evaluation/{{table}}.parquet",
    log:
        f"{LOGS}/gather_evaluation/{{table}}.log",
    wildcard_constraints:
        table="|".join(GATHERED),
    resources:
        **growing(mem_mb=2000, runtime=15),
    params:
        # the order of tables, in which rows stand, is no part of what Snakemake compares of inputs
        settings=lambda wildcards: flags(kind=wildcards.table, tables=GATHERED[wildcards.table]),
