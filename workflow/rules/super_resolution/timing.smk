# Throughput of every preset. A timing job takes all cores, so that nothing runs beside it.


rule benchmark_throughput:
    input:
        weights=f"{RESULTS}/models/{{preset}}/seed_{SEEDS[0]}.safetensors",
        code=code("benchmark_throughput"),
    output:
        f"{RESULTS}/timing/{{kind}}/{{preset}}.json",
    log:
        f"{LOGS}/benchmark_throughput/{{kind}}/{{preset}}.log",
    conda:
        "../../../envs/cpu.yaml"
    threads: workflow.cores if workflow.cores else 1
    resources:
        **growing(mem_mb=8000, runtime=60),
        slurm_extra="--exclusive",
    params:
        preset=preset_flags,
        settings=flags(
            **config["model"],
            **settings_of("training", "low_res_size", "steps", "warmup_steps", "decay_start"),
            **settings_of("training", "clip_gradient_norm", "skip_gradient_spikes", "compute_dtype"),
            **settings_of("timing", "memory_budget_mib", "repeats", "largest_batch"),
        ),
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]:q} --kind {wildcards.kind}"
        " --preset {wildcards.preset} {params.preset} {params.settings}"
        " --weights {input.weights:q} --output {output:q} 2> {log:q}"
