# Test errors of every network, and padding errors on the feature maps of some.

EVALUATION = config["evaluation"]
TILES = flags(**settings_of("evaluation", "batch_size"), **settings_of("training", "low_res_size"))
UPSCALING = flags(**settings_of("model", "upscale_factor"))
PADDINGS = flags(paddings=EVALUATION["nmse_paddings"])


rule evaluate_mse:
    input:
        models=lambda wildcards: [
            f"{RESULTS}/models/{wildcards.preset}/seed_{seed}.safetensors"
            for seed in wildcards.seeds.split("-")
        ],
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("evaluate_mse"),
    output:
        f"{RESULTS}/evaluation/mse/{{preset}}/seed_{{seeds}}.parquet",
    log:
        f"{LOGS}/evaluate_mse/{{preset}}/seed_{{seeds}}.log",
    wildcard_constraints:
        seeds=r"\d+(-\d+)*",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=TILES,
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]:q} --models {input.models:q} --test {input.test:q}"
        " --summary {input.summary:q} {params.settings} --output {output:q} 2> {log:q}"


rule evaluate_bilinear:
    input:
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("evaluate_bilinear"),
    output:
        f"{RESULTS}/evaluation/bilinear.parquet",
    log:
        f"{LOGS}/evaluate_bilinear.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=f"{TILES} {UPSCALING}",
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]:q} --test {input.test:q}"
        " --summary {input.summary:q} {params.settings} --output {output:q} 2> {log:q}"


rule evaluate_nmse:
    input:
        model=rules.export_model.output.model,
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("evaluate_nmse"),
    output:
        f"{RESULTS}/evaluation/nmse/{{preset}}/seed_{{seed}}.parquet",
    log:
        f"{LOGS}/evaluate_nmse/{{preset}}/seed_{{seed}}.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=f"{TILES} {PADDINGS}",
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]:q} --model {input.model:q} --test {input.test:q}"
        " --summary {input.summary:q} {params.settings} --output {output:q} 2> {log:q}"


GATHERED = {
    # the seeds that were trained in one job are evaluated in one
    "mse": expand(
        f"{RESULTS}/evaluation/mse/{{preset}}/seed_{{seeds}}.parquet", preset=PRESETS, seeds=SEED_GROUPS
    ),
    "nmse": per_run("evaluation/nmse/{preset}/seed_{seed}.parquet", EVALUATION["nmse_presets"]),
    "history": per_run("history/{preset}/seed_{seed}.parquet"),
}


rule gather_evaluation:
    input:
        tables=lambda wildcards: GATHERED[wildcards.table],
        code=code("gather_evaluation"),
    output:
        f"{RESULTS}/evaluation/{{table}}.parquet",
    log:
        f"{LOGS}/gather_evaluation/{{table}}.log",
    wildcard_constraints:
        table="|".join(GATHERED),
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=15),
    params:
        # their order, in which rows stand, is no part of what Snakemake compares of inputs
        tables=lambda wildcards: flags(tables=GATHERED[wildcards.table]),
    shell:
        "python {input.code[0]:q} --kind {wildcards.table} {params.tables}" " --output {output:q} 2> {log:q}"
