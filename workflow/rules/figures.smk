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
    name=["results", "shells", "runs"],
    format=["csv", "md", "tex"],
)


def figure(name, category):
    """Output of a figure rule; the report shows the PNG."""
    paths = {format: f"{RESULTS}/figures/{name}.{format}" for format in FORMATS}
    caption, labels = f"../report/{name}.rst", {"figure": name.replace("_", " ")}
    paths["png"] = report(paths["png"], caption=caption, category=category, labels=labels)
    return list(paths.values())


def table(name, category):
    """Output of a table rule; the report shows the CSV."""
    paths = {format: f"{RESULTS}/tables/{name}.{format}" for format in ("csv", "md", "tex")}
    caption, labels = f"../report/{name}_table.rst", {"table": name}
    paths["csv"] = report(paths["csv"], caption=caption, category=category, labels=labels)
    return list(paths.values())


rule plot_loss_histories:
    input:
        history=f"{RESULTS}/evaluation/history.parquet",
        runs=RUNS,
        code=code("plot_loss_histories"),
    output:
        figure("loss_histories", "Training"),
    log:
        f"{LOGS}/plot_loss_histories.log",
    params:
        presets=CROPS,
        figure=f"{RESULTS}/figures/loss_histories",
        formats=FORMATS,
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/plot_loss_histories.py --history {input.history} --runs {input.runs}"
        " --presets {params.presets:q} --figure {params.figure} --formats {params.formats} 2> {log}"


rule plot_test_mse:
    input:
        mse=MSE,
        runs=RUNS,
        bilinear=rules.evaluate_bilinear.output,
        code=code("plot_test_mse"),
    output:
        figure("test_mse", "Errors"),
    log:
        f"{LOGS}/plot_test_mse.log",
    params:
        presets=CROPS,
        baselines=BASELINES,
        bootstrap_seed=BOOTSTRAP,
        figure=f"{RESULTS}/figures/test_mse",
        formats=FORMATS,
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/plot_test_mse.py --mse {input.mse} --runs {input.runs}"
        " --bilinear {input.bilinear} --presets {params.presets:q} --baselines {params.baselines:q}"
        " --bootstrap-seed {params.bootstrap_seed} --figure {params.figure} --formats {params.formats}"
        " 2> {log}"


rule plot_shell_mse:
    input:
        mse=MSE,
        code=code("plot_shell_mse"),
    output:
        figure("shell_mse", "Errors"),
    log:
        f"{LOGS}/plot_shell_mse.log",
    params:
        presets=CROPS,
        bootstrap_seed=BOOTSTRAP,
        figure=f"{RESULTS}/figures/shell_mse",
        formats=FORMATS,
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/plot_shell_mse.py --mse {input.mse} --presets {params.presets:q}"
        " --bootstrap-seed {params.bootstrap_seed} --figure {params.figure} --formats {params.formats}"
        " 2> {log}"


rule plot_throughput:
    input:
        mse=MSE,
        training=TIMINGS["training"],
        inference=TIMINGS["inference"],
        code=code("plot_throughput"),
    output:
        figure("throughput", "Cost"),
    log:
        f"{LOGS}/plot_throughput.log",
    params:
        presets=CROPS,
        bootstrap_seed=BOOTSTRAP,
        figure=f"{RESULTS}/figures/throughput",
        formats=FORMATS,
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/plot_throughput.py --mse {input.mse} --timing-training {input.training}"
        " --timing-inference {input.inference} --presets {params.presets:q}"
        " --bootstrap-seed {params.bootstrap_seed} --figure {params.figure} --formats {params.formats}"
        " 2> {log}"


rule plot_padding_nmse:
    input:
        nmse=f"{RESULTS}/evaluation/nmse.parquet",
        code=code("plot_padding_nmse"),
    output:
        figure("padding_nmse", "Paddings"),
    log:
        f"{LOGS}/plot_padding_nmse.log",
    params:
        presets=json.dumps(
            {name: PRESETS[name].output_crop for name in EVALUATION["nmse_presets"]}
        ),
        figure=f"{RESULTS}/figures/padding_nmse",
        formats=FORMATS,
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/plot_padding_nmse.py --nmse {input.nmse} --presets {params.presets:q}"
        " --figure {params.figure} --formats {params.formats} 2> {log}"


rule plot_padded_samples:
    input:
        test=rules.build_arrays.output.test,
        code=code("plot_padded_samples"),
    output:
        figure("padded_samples", "Paddings"),
    log:
        f"{LOGS}/plot_padded_samples.log",
    params:
        paddings=config["figures"]["sample_paddings"],
        scene=config["figures"]["sample_scene"],
        figure=f"{RESULTS}/figures/padded_samples",
        formats=FORMATS,
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/plot_padded_samples.py --test {input.test} --paddings {params.paddings}"
        " --scene {params.scene} --figure {params.figure} --formats {params.formats} 2> {log}"


rule plot_upscaled_samples:
    input:
        test=rules.build_arrays.output.test,
        models=[f"{RESULTS}/models/{preset}/seed_{SEEDS[0]}.safetensors" for preset in PRESETS],
        code=code("plot_upscaled_samples"),
    output:
        figure("upscaled_samples", "Training"),
    log:
        f"{LOGS}/plot_upscaled_samples.log",
    params:
        models=json.dumps(
            {
                preset: f"{RESULTS}/models/{preset}/seed_{SEEDS[0]}.safetensors"
                for preset in PRESETS
            }
        ),
        scenes=config["figures"]["sample_scenes"],
        low_res_size=config["training"]["low_res_size"],
        compiled=envvars_compiled,
        figure=f"{RESULTS}/figures/upscaled_samples",
        formats=FORMATS,
        scripts=SCRIPTS,
    shell:
        "{params.compiled}python {params.scripts}/plot_upscaled_samples.py --test {input.test}"
        " --models {params.models:q} --scenes {params.scenes} --low-res-size {params.low_res_size}"
        " --figure {params.figure} --formats {params.formats} 2> {log}"


rule tabulate_runs:
    input:
        runs=RUNS,
        code=code("tabulate_runs"),
    output:
        table("runs", "Training"),
    log:
        f"{LOGS}/tabulate_runs.log",
    params:
        presets=CROPS,
        table=f"{RESULTS}/tables/runs",
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/tabulate_runs.py --runs {input.runs} --presets {params.presets:q}"
        " --table {params.table} 2> {log}"


rule tabulate_results:
    input:
        mse=MSE,
        runs=RUNS,
        training=TIMINGS["training"],
        inference=TIMINGS["inference"],
        code=code("tabulate_results"),
    output:
        table("results", "Errors"),
    log:
        f"{LOGS}/tabulate_results.log",
    params:
        presets=CROPS,
        baselines=BASELINES,
        bootstrap_seed=BOOTSTRAP,
        table=f"{RESULTS}/tables/results",
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/tabulate_results.py --mse {input.mse} --runs {input.runs}"
        " --timing-training {input.training} --timing-inference {input.inference}"
        " --presets {params.presets:q} --baselines {params.baselines:q}"
        " --bootstrap-seed {params.bootstrap_seed} --table {params.table} 2> {log}"


rule tabulate_shells:
    input:
        mse=MSE,
        code=code("tabulate_shells"),
    output:
        table("shells", "Errors"),
    log:
        f"{LOGS}/tabulate_shells.log",
    params:
        presets=CROPS,
        bootstrap_seed=BOOTSTRAP,
        table=f"{RESULTS}/tables/shells",
        scripts=SCRIPTS,
    shell:
        "python {params.scripts}/tabulate_shells.py --mse {input.mse} --presets {params.presets:q}"
        " --bootstrap-seed {params.bootstrap_seed} --table {params.table} 2> {log}"
