# Tidy tables in, figures and formatted tables out.

FORMATS = config["figures"]["formats"]
PRESENTED = {"presets": crops(PRESETS)}
BOOTSTRAP = settings_of("figures", "bootstrap_seed")
BASELINES = {"baselines": json.dumps(config["figures"]["baselines"])}
MSE = f"{RESULTS}/evaluation/mse.parquet"
RUNS = per_run("runs/{preset}/seed_{seed}.json")
TIMINGS = {
    kind: expand(f"{RESULTS}/timing/{kind}/{{preset}}.json", preset=config["timing"]["presets"])
    for kind in ("training", "inference")
}

FIGURE_NAMES = [
    "loss_histories",
    "test_mse",
    "shell_mse",
    "throughput",
    "padded_samples",
    "upscaled_samples",
]
if EVALUATION["nmse_presets"]:
    FIGURE_NAMES.append("padding_nmse")
FIGURES = expand(f"{RESULTS}/figures/{{name}}.{{format}}", name=FIGURE_NAMES, format=FORMATS)
TABLES = expand(
    f"{RESULTS}/tables/{{name}}.{{format}}",
    name=["results", "shells", "runs", "provenance"],
    format=TABLE_FORMATS,
)
# what the report's first page warns of, included by report/workflow.rst
WARNINGS = f"{RESULTS}/tables/warnings.rst"
TABLES.append(WARNINGS)


rule plot_loss_histories:
    input:
        history=f"{RESULTS}/evaluation/history.parquet",
        runs=RUNS,
        code=code("plot_loss_histories"),
    output:
        figure("loss_histories", "Training", "Loss in training"),
    log:
        f"{LOGS}/plot_loss_histories.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(**PRESENTED, formats=FORMATS),
        figure=stem,
    shell:
        "python {input.code[0]:q} --history {input.history:q} --runs {input.runs:q}"
        " {params.settings} --figure {params.figure:q} 2> {log:q}"


rule plot_test_mse:
    input:
        mse=MSE,
        runs=RUNS,
        bilinear=rules.evaluate_bilinear.output,
        code=code("plot_test_mse"),
    output:
        figure("test_mse", "Errors", "Test error"),
    log:
        f"{LOGS}/plot_test_mse.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(**PRESENTED, **BASELINES, **BOOTSTRAP, formats=FORMATS),
        figure=stem,
    shell:
        "python {input.code[0]:q} --mse {input.mse:q} --runs {input.runs:q} --bilinear"
        " {input.bilinear:q} {params.settings} --figure {params.figure:q} 2> {log:q}"


rule plot_shell_mse:
    input:
        mse=MSE,
        bilinear=rules.evaluate_bilinear.output,
        code=code("plot_shell_mse"),
    output:
        figure("shell_mse", "Errors", "Error by distance from the border"),
    log:
        f"{LOGS}/plot_shell_mse.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(**PRESENTED, **BOOTSTRAP, formats=FORMATS),
        figure=stem,
    shell:
        "python {input.code[0]:q} --mse {input.mse:q} --bilinear {input.bilinear:q} {params.settings} --figure"
        " {params.figure:q} 2> {log:q}"


rule plot_throughput:
    input:
        mse=MSE,
        training=TIMINGS["training"],
        inference=TIMINGS["inference"],
        code=code("plot_throughput"),
    output:
        figure("throughput", "Cost", "Error against speed"),
    log:
        f"{LOGS}/plot_throughput.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(**PRESENTED, **BOOTSTRAP, formats=FORMATS),
        figure=stem,
    shell:
        "python {input.code[0]:q} --mse {input.mse:q} --timing-training {input.training:q}"
        " --timing-inference {input.inference:q} {params.settings} --figure {params.figure:q}"
        " 2> {log:q}"


rule plot_padding_nmse:
    input:
        nmse=f"{RESULTS}/evaluation/nmse.parquet",
        code=code("plot_padding_nmse"),
    output:
        figure("padding_nmse", "Paddings", "Error of the padding itself"),
    log:
        f"{LOGS}/plot_padding_nmse.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(
            presets=crops(EVALUATION["nmse_presets"]),
            formats=FORMATS,
        ),
        figure=stem,
    shell:
        "python {input.code[0]:q} --nmse {input.nmse:q} {params.settings} --figure"
        " {params.figure:q} 2> {log:q}"


rule plot_padded_samples:
    input:
        test=rules.build_arrays.output.test,
        code=code("plot_padded_samples"),
    output:
        figure("padded_samples", "Paddings", "A padded scene"),
    log:
        f"{LOGS}/plot_padded_samples.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(
            paddings=config["figures"]["sample_paddings"],
            scene=config["figures"]["sample_scene"],
            formats=FORMATS,
        ),
        figure=stem,
    shell:
        "python {input.code[0]:q} --test {input.test:q} {params.settings} --figure"
        " {params.figure:q} 2> {log:q}"


rule plot_upscaled_samples:
    input:
        test=rules.build_arrays.output.test,
        models=[f"{RESULTS}/models/{preset}/seed_{SEEDS[0]}.safetensors" for preset in PRESETS],
        code=code("plot_upscaled_samples"),
    output:
        figure("upscaled_samples", "Training", "Upscaled scenes"),
    log:
        f"{LOGS}/plot_upscaled_samples.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=4000, runtime=15),
    params:
        settings=flags(
            models=json.dumps(
                {preset: f"{RESULTS}/models/{preset}/seed_{SEEDS[0]}.safetensors" for preset in PRESETS}
            ),
            scenes=config["figures"]["sample_scenes"],
            **settings_of("training", "low_res_size"),
            formats=FORMATS,
        ),
        environment=COMPUTING,
        figure=stem,
    shell:
        "{params.environment}python {input.code[0]:q} --test {input.test:q} {params.settings}"
        " --figure {params.figure:q} 2> {log:q}"


rule tabulate_runs:
    input:
        runs=RUNS,
        mse=MSE,
        bilinear=rules.evaluate_bilinear.output,
        code=code("tabulate_runs"),
    output:
        table("runs", "Training", "Runs and failures"),
        note=WARNINGS,
    log:
        f"{LOGS}/tabulate_runs.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(**PRESENTED),
        table=stem,
    shell:
        "python {input.code[0]:q} --runs {input.runs:q} --mse {input.mse:q} --bilinear {input.bilinear:q}"
        " {params.settings} --table {params.table:q} --note {output.note:q} 2> {log:q}"


rule tabulate_results:
    input:
        mse=MSE,
        bilinear=rules.evaluate_bilinear.output,
        runs=RUNS,
        training=TIMINGS["training"],
        inference=TIMINGS["inference"],
        code=code("tabulate_results"),
    output:
        table("results", "Errors", "Cost and accuracy"),
    log:
        f"{LOGS}/tabulate_results.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(**PRESENTED, **BASELINES, **BOOTSTRAP),
        table=stem,
    shell:
        "python {input.code[0]:q} --mse {input.mse:q} --bilinear {input.bilinear:q} --runs {input.runs:q}"
        " --timing-training {input.training:q} --timing-inference {input.inference:q} {params.settings}"
        " --table {params.table:q} 2> {log:q}"


rule tabulate_shells:
    input:
        mse=MSE,
        bilinear=rules.evaluate_bilinear.output,
        code=code("tabulate_shells"),
    output:
        table("shells", "Errors", "Error by distance from the border"),
    log:
        f"{LOGS}/tabulate_shells.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        settings=flags(**PRESENTED, **BOOTSTRAP),
        table=stem,
    shell:
        "python {input.code[0]:q} --mse {input.mse:q} --bilinear {input.bilinear:q} {params.settings}"
        " --table {params.table:q} 2> {log:q}"


rule tabulate_provenance:
    input:
        runs=RUNS,
        training=TIMINGS["training"],
        inference=TIMINGS["inference"],
        summary=rules.build_arrays.output.summary,
        code=code("tabulate_provenance"),
    output:
        table("provenance", "Provenance", "Where the numbers come from"),
    log:
        f"{LOGS}/tabulate_provenance.log",
    conda:
        "../../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        # their order, in which rows stand, is no part of what Snakemake compares of inputs
        records=flags(runs=RUNS, timing_training=TIMINGS["training"], timing_inference=TIMINGS["inference"]),
        table=stem,
    shell:
        "python {input.code[0]:q} {params.records} --summary {input.summary:q} --table {params.table:q}"
        " 2> {log:q}"
