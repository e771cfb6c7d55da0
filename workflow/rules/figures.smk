# Tidy tables in, figures and formatted tables out.

FORMATS = config["figures"]["formats"]
BOOTSTRAP = config["figures"]["bootstrap_seed"]
BASELINES = json.dumps(config["figures"]["baselines"])
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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        presets=CROPS,
        figure=stem,
        formats=FORMATS,
    shell:
        "python {input.code[0]} --history {input.history} --runs {input.runs}"
        " --presets {params.presets:q} --figure {params.figure} --formats {params.formats} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        presets=CROPS,
        baselines=BASELINES,
        bootstrap_seed=BOOTSTRAP,
        figure=stem,
        formats=FORMATS,
    shell:
        "python {input.code[0]} --mse {input.mse} --runs {input.runs}"
        " --bilinear {input.bilinear} --presets {params.presets:q} --baselines {params.baselines:q}"
        " --bootstrap-seed {params.bootstrap_seed} --figure {params.figure} --formats {params.formats}"
        " 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        presets=CROPS,
        bootstrap_seed=BOOTSTRAP,
        figure=stem,
        formats=FORMATS,
    shell:
        "python {input.code[0]} --mse {input.mse} --bilinear {input.bilinear} --presets {params.presets:q}"
        " --bootstrap-seed {params.bootstrap_seed} --figure {params.figure} --formats {params.formats}"
        " 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        presets=CROPS,
        bootstrap_seed=BOOTSTRAP,
        figure=stem,
        formats=FORMATS,
    shell:
        "python {input.code[0]} --mse {input.mse} --timing-training {input.training}"
        " --timing-inference {input.inference} --presets {params.presets:q}"
        " --bootstrap-seed {params.bootstrap_seed} --figure {params.figure} --formats {params.formats}"
        " 2> {log}"


rule plot_padding_nmse:
    input:
        nmse=f"{RESULTS}/evaluation/nmse.parquet",
        code=code("plot_padding_nmse"),
    output:
        figure("padding_nmse", "Paddings", "Error of the padding itself"),
    log:
        f"{LOGS}/plot_padding_nmse.log",
    conda:
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        presets=json.dumps({name: PRESETS[name].output_crop for name in EVALUATION["nmse_presets"]}),
        figure=stem,
        formats=FORMATS,
    shell:
        "python {input.code[0]} --nmse {input.nmse} --presets {params.presets:q}"
        " --figure {params.figure} --formats {params.formats} 2> {log}"


rule plot_padded_samples:
    input:
        test=rules.build_arrays.output.test,
        code=code("plot_padded_samples"),
    output:
        figure("padded_samples", "Paddings", "A padded scene"),
    log:
        f"{LOGS}/plot_padded_samples.log",
    conda:
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        paddings=config["figures"]["sample_paddings"],
        scene=config["figures"]["sample_scene"],
        figure=stem,
        formats=FORMATS,
    shell:
        "python {input.code[0]} --test {input.test} --paddings {params.paddings}"
        " --scene {params.scene} --figure {params.figure} --formats {params.formats} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=4000, runtime=15),
    params:
        models=json.dumps(
            {preset: f"{RESULTS}/models/{preset}/seed_{SEEDS[0]}.safetensors" for preset in PRESETS}
        ),
        scenes=config["figures"]["sample_scenes"],
        low_res_size=config["training"]["low_res_size"],
        environment=COMPUTING,
        figure=stem,
        formats=FORMATS,
    shell:
        "{params.environment}python {input.code[0]} --test {input.test}"
        " --models {params.models:q} --scenes {params.scenes} --low-res-size {params.low_res_size}"
        " --figure {params.figure} --formats {params.formats} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        presets=CROPS,
        table=stem,
    shell:
        "python {input.code[0]} --runs {input.runs} --mse {input.mse} --bilinear {input.bilinear}"
        " --presets {params.presets:q} --table {params.table} --note {output.note} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        presets=CROPS,
        baselines=BASELINES,
        bootstrap_seed=BOOTSTRAP,
        table=stem,
    shell:
        "python {input.code[0]} --mse {input.mse} --bilinear {input.bilinear} --runs {input.runs}"
        " --timing-training {input.training} --timing-inference {input.inference}"
        " --presets {params.presets:q} --baselines {params.baselines:q}"
        " --bootstrap-seed {params.bootstrap_seed} --table {params.table} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        presets=CROPS,
        bootstrap_seed=BOOTSTRAP,
        table=stem,
    shell:
        "python {input.code[0]} --mse {input.mse} --bilinear {input.bilinear} --presets {params.presets:q}"
        " --bootstrap-seed {params.bootstrap_seed} --table {params.table} 2> {log}"


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
        "../../envs/cpu.yaml"
    resources:
        **growing(mem_mb=2000, runtime=5),
    params:
        table=stem,
    shell:
        "python {input.code[0]} --runs {input.runs} --timing-training {input.training}"
        " --timing-inference {input.inference} --summary {input.summary} --table {params.table} 2> {log}"
