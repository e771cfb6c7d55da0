# Test errors of every network, and padding errors on the feature maps of some.

EVALUATION = config["evaluation"]


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        batch_size=EVALUATION["batch_size"],
        low_res_size=config["training"]["low_res_size"],
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]} --models {input.models} --test {input.test}"
        " --summary {input.summary} --low-res-size {params.low_res_size}"
        " --batch-size {params.batch_size} --output {output} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        batch_size=EVALUATION["batch_size"],
        low_res_size=config["training"]["low_res_size"],
        upscale_factor=config["model"]["upscale_factor"],
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]} --test {input.test}"
        " --summary {input.summary} --low-res-size {params.low_res_size}"
        " --upscale-factor {params.upscale_factor} --batch-size {params.batch_size} --output {output} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        paddings=EVALUATION["nmse_paddings"],
        batch_size=EVALUATION["batch_size"],
        low_res_size=config["training"]["low_res_size"],
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]} --model {input.model}"
        " --paddings {params.paddings} --test {input.test} --summary {input.summary}"
        " --low-res-size {params.low_res_size} --batch-size {params.batch_size} --output {output} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=15),
    shell:
        "python {input.code[0]} --kind {wildcards.table} --tables {input.tables}"
        " --output {output} 2> {log}"
