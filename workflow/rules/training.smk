# One network per preset and seed. Checkpoints lie outside the declared outputs, keyed by everything
# that shapes a run, so that an interrupted job resumes and a changed one starts afresh.


rule train_model:
    input:
        train=rules.build_arrays.output.train,
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("train_model"),
    output:
        f"{RESULTS}/training/{{preset}}/seed_{{seed}}.safetensors",
    log:
        f"{LOGS}/train_model/{{preset}}/seed_{{seed}}.log",
    conda:
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=6000, runtime=60),
    params:
        preset=preset_flags,
        model=flags(config["model"]),
        training=flags(config["training"]),
        checkpoints=f"{RESOURCES}/checkpoints/{{preset}}",
        compiled=SHARED_COMPILATION,
    shell:
        "{params.compiled}python {input.code[0]} --preset {wildcards.preset} {params.preset}"
        " --seed {wildcards.seed} --train {input.train} --test {input.test} --summary {input.summary}"
        " --checkpoints {params.checkpoints} --output {output} {params.model} {params.training} 2> {log}"


rule export_model:
    input:
        training=rules.train_model.output,
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
        "python {input.code[0]} --training {input.training} --model {output.model}"
        " --history {output.history} --run {output.run} 2> {log}"
