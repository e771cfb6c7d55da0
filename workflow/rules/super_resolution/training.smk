# One network per preset and seed; training.seeds_per_job of them share a job. Checkpoints lie outside the
# declared outputs, keyed by everything that shapes a run, so that an interrupted job resumes and a changed one
# starts afresh.


use rule run_script as train_model with:
    input:
        train=rules.build_arrays.output.train,
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/train_model"),
    output:
        output=directory(f"{RESULTS}/training/{{preset}}/seeds_{{seeds}}"),
    log:
        f"{LOGS}/train_model/{{preset}}/seeds_{{seeds}}.log",
    wildcard_constraints:
        seeds=r"\d+(-\d+)*",
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


use rule run_script as export_model with:
    input:
        trained_with,
        code=code("super_resolution/export_model"),
    output:
        model=NETWORK_FILE,
        history=f"{RESULTS}/history/{{preset}}/seed_{{seed}}.parquet",
        run=f"{RESULTS}/runs/{{preset}}/seed_{{seed}}.json",
    log:
        f"{LOGS}/export_model/{{preset}}/seed_{{seed}}.log",
    params:
        training=lambda wildcards, input: flags(training=f"{input[0]}/seed_{wildcards.seed}.safetensors"),
