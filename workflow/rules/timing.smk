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
        "../../envs/cpu.yaml"
    threads: workflow.cores if workflow.cores else 1
    resources:
        **growing(mem_mb=8000, runtime=60),
        slurm_extra="--exclusive",
    params:
        preset=preset_flags,
        model=flags(config["model"]),
        training=flags(
            {
                key: config["training"][key]
                for key in ("low_res_size", "steps", "warmup_steps", "decay_start")
            }
        ),
        timing=flags(
            {key: config["timing"][key] for key in ("memory_budget_mib", "repeats", "largest_batch")}
        ),
        environment=COMPUTING,
    shell:
        "{params.environment}python {input.code[0]} --kind {wildcards.kind}"
        " --preset {wildcards.preset} {params.preset} {params.timing} {params.model} {params.training}"
        " --weights {input.weights} --output {output} 2> {log}"
