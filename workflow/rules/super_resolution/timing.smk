# Throughput of every preset. A timing job takes all cores, so that nothing runs beside it.


use rule run_script as benchmark_throughput with:
    input:
        weights=NETWORK_FILE.format(preset="{preset}", seed=SEEDS[0]),
        code=code("super_resolution/benchmark_throughput"),
    output:
        output=f"{RESULTS}/timing/{{kind}}/{{preset}}.json",
    log:
        f"{LOGS}/benchmark_throughput/{{kind}}/{{preset}}.log",
    threads: workflow.cores if workflow.cores else 1
    resources:
        **growing(mem_mb=8000, runtime=60),
        slurm_extra="--exclusive",
    params:
        kind=lambda wildcards: flags(kind=wildcards.kind),
        preset=preset_flags,
        settings=flags(
            **config["model"],
            **settings_of("training", "low_res_size", "steps", "warmup_steps", "decay_start"),
            **settings_of("training", "clip_gradient_norm", "skip_gradient_spikes", "compute_dtype"),
            **settings_of("timing", "memory_budget_mib", "repeats", "largest_batch"),
        ),
