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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=6000, runtime=60),
    params:
        preset=preset_flags,
        model=flags(config["model"]),
        training=flags({key: value for key, value in config["training"].items() if key != "seeds_per_job"}),
        seeds=lambda wildcards: wildcards.seeds.replace("-", " "),
        checkpoints=f"{RESOURCES}/checkpoints/{{preset}}",
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]} --preset {wildcards.preset} {params.preset}"
        " --seeds {params.seeds} --train {input.train} --test {input.test} --summary {input.summary}"
        " --checkpoints {params.checkpoints} --output {output} {params.model} {params.training} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    shell:
        "python {input.code[0]} --training {input.training}/seed_{wildcards.seed}.safetensors --model {output.model}"
        " --history {output.history} --run {output.run} 2> {log}"
