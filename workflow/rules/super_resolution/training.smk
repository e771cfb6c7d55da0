# One network per preset and seed; training.seeds_per_job of them share a job. Checkpoints lie outside the
# declared outputs, keyed by everything that shapes a run, so that an interrupted job resumes and a changed one
# starts afresh.


rule train_model:
    input:
        train=rules.build_arrays.output.train,
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("train_model"),
    output:
        directory(f"{RESULTS}/training/{{preset}}/seeds_{{seeds}}"),
    log:
        f"{LOGS}/train_model/{{preset}}/seeds_{{seeds}}.log",
    wildcard_constraints:
        seeds=r"\d+(-\d+)*",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=6000, runtime=60),
    params:
        preset=preset_flags,
        settings=flags(
            **config["model"],
            **{key: value for key, value in config["training"].items() if key != "seeds_per_job"},
        ),
        seeds=lambda wildcards: flags(seeds=wildcards.seeds.split("-")),
        checkpoints=lambda wildcards: flags(checkpoints=f"{RESOURCES}/checkpoints/{wildcards.preset}"),
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]:q} --preset {wildcards.preset} {params.preset} {params.seeds}"
        " --train {input.train:q} --test {input.test:q} --summary {input.summary:q}"
        " {params.checkpoints} --output {output:q} {params.settings} 2> {log:q}"


rule export_model:
    input:
        training=trained_with,
        code=code("export_model"),
    output:
        model=f"{RESULTS}/models/{{preset}}/seed_{{seed}}.safetensors",
        history=f"{RESULTS}/history/{{preset}}/seed_{{seed}}.parquet",
        run=f"{RESULTS}/runs/{{preset}}/seed_{{seed}}.json",
    log:
        f"{LOGS}/export_model/{{preset}}/seed_{{seed}}.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    shell:
        "python {input.code[0]:q} --training {input.training:q}/seed_{wildcards.seed}.safetensors"
        " --model {output.model:q} --history {output.history:q} --run {output.run:q} 2> {log:q}"
