# Tidy tables in, figures and formatted tables out.

FORMATS = config["figures"]["formats"]
PRESENTED = {"presets": crops(PRESETS)}
BOOTSTRAP = settings_of("figures", "bootstrap_seed")
BASELINES = {"baselines": json.dumps(config["figures"]["baselines"])}
MSE = f"{RESULTS}/evaluation/mse.parquet"
RUNS = per_run("runs/{preset}/seed_{seed}.json")
TIMINGS = {
    f"timing_{kind}": expand(f"{RESULTS}/timing/{kind}/{{preset}}.json", preset=config["timing"]["presets"])
    for kind in ("training", "inference")
}

FIGURE_NAMES = [
    "loss_histories",
    "test_mse",
    "shell_mse",
    "throughput",
    "padded_samples",
    "lp6x7_samples",
    "blur_theory",
    "inputs_and_targets",
    "upscaled_samples",
    *expand("{name}_oc{crop}", name=["stitched_corners", "shift_deviation"], crop=OUTPUT_CROPS),
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
WANTED += [*FIGURES, *TABLES, WARNINGS]


use rule run_script as plot_loss_histories with:
    input:
        history=f"{RESULTS}/evaluation/history.parquet",
        runs=RUNS,
        code=code("super_resolution/plot_loss_histories"),
    output:
        figure("loss_histories", "Training", "Loss in training"),
    log:
        f"{LOGS}/plot_loss_histories.log",
    params:
        settings=flags(**PRESENTED, formats=FORMATS),
        figure=figure_option,


use rule run_script as plot_test_mse with:
    input:
        mse=MSE,
        runs=RUNS,
        bilinear=rules.evaluate_bilinear.output,
        code=code("super_resolution/plot_test_mse"),
    output:
        figure("test_mse", "Errors", "Test error"),
    log:
        f"{LOGS}/plot_test_mse.log",
    params:
        settings=flags(**PRESENTED, **BASELINES, **BOOTSTRAP, formats=FORMATS),
        figure=figure_option,


use rule run_script as plot_shell_mse with:
    input:
        mse=MSE,
        bilinear=rules.evaluate_bilinear.output,
        code=code("super_resolution/plot_shell_mse"),
    output:
        figure("shell_mse", "Errors", "Error by distance from the border"),
    log:
        f"{LOGS}/plot_shell_mse.log",
    params:
        settings=flags(**PRESENTED, **BOOTSTRAP, formats=FORMATS),
        figure=figure_option,


use rule run_script as plot_throughput with:
    input:
        **TIMINGS,
        mse=MSE,
        code=code("super_resolution/plot_throughput"),
    output:
        figure("throughput", "Cost", "Error against speed"),
    log:
        f"{LOGS}/plot_throughput.log",
    params:
        settings=flags(**PRESENTED, **BOOTSTRAP, formats=FORMATS),
        figure=figure_option,


use rule run_script as plot_padding_nmse with:
    input:
        nmse=f"{RESULTS}/evaluation/nmse.parquet",
        code=code("super_resolution/plot_padding_nmse"),
    output:
        figure("padding_nmse", "Paddings", "Error of the padding itself"),
    log:
        f"{LOGS}/plot_padding_nmse.log",
    params:
        settings=flags(
            presets=crops(EVALUATION["nmse_presets"]),
            formats=FORMATS,
        ),
        figure=figure_option,


use rule run_script as plot_padded_samples with:
    input:
        test=rules.build_arrays.output.test,
        code=code("super_resolution/plot_padded_samples"),
    output:
        figure("padded_samples", "Paddings", "A padded scene"),
    log:
        f"{LOGS}/plot_padded_samples.log",
    params:
        settings=flags(
            paddings=paddings_in_use(
                PRESETS, [*EVALUATION["nmse_paddings"], *config["figures"]["sample_paddings"]]
            ),
            scene=config["figures"]["sample_scene"],
            formats=FORMATS,
        ),
        figure=figure_option,


use rule run_script as plot_lp6x7_samples with:
    input:
        test=rules.build_arrays.output.test,
        code=code("super_resolution/plot_lp6x7_samples"),
    output:
        figure("lp6x7_samples", "Paddings", "Scenes padded by lp6x7"),
    log:
        f"{LOGS}/plot_lp6x7_samples.log",
    params:
        settings=flags(scenes=config["figures"]["sample_scenes"], formats=FORMATS),
        figure=figure_option,


use rule run_script as plot_blur_theory with:
    input:
        code=code("super_resolution/plot_blur_theory"),
    output:
        figure("blur_theory", "Paddings", "Expected error on blurred noise"),
    log:
        f"{LOGS}/plot_blur_theory.log",
    params:
        settings=flags(formats=FORMATS),
        figure=figure_option,


use rule run_script as plot_inputs_and_targets with:
    input:
        test=rules.build_arrays.output.test,
        code=code("super_resolution/plot_inputs_and_targets"),
    output:
        figure("inputs_and_targets", "Training", "Inputs and targets"),
    log:
        f"{LOGS}/plot_inputs_and_targets.log",
    params:
        settings=flags(
            scenes=config["figures"]["sample_scenes"],
            **settings_of("training", "low_res_size"),
            formats=FORMATS,
        ),
        figure=figure_option,


use rule run_script as plot_stitched_corners with:
    input:
        crossings=rules.evaluate_crossings.output,
        code=code("super_resolution/plot_stitched_corners"),
    output:
        figure("stitched_corners", "Tiles", "Where tiles meet, crop {output_crop}", of="_oc{output_crop}"),
    log:
        f"{LOGS}/plot_stitched_corners/oc{{output_crop}}.log",
    params:
        settings=lambda wildcards: flags(output_crop=wildcards.output_crop, formats=FORMATS),
        figure=figure_option,


use rule run_script as plot_shift_deviation with:
    input:
        crossings=rules.evaluate_crossings.output,
        code=code("super_resolution/plot_shift_deviation"),
    output:
        figure("shift_deviation", "Tiles", "How far tiles deviate, crop {output_crop}", of="_oc{output_crop}"),
    log:
        f"{LOGS}/plot_shift_deviation/oc{{output_crop}}.log",
    params:
        settings=lambda wildcards: flags(output_crop=wildcards.output_crop, formats=FORMATS),
        figure=figure_option,


use rule run_script as plot_upscaled_samples with:
    input:
        MODELS.values(),
        test=rules.build_arrays.output.test,
        code=code("super_resolution/plot_upscaled_samples"),
    output:
        figure("upscaled_samples", "Training", "Upscaled scenes"),
    log:
        f"{LOGS}/plot_upscaled_samples.log",
    resources:
        **growing(mem_mb=4000, runtime=15),
    params:
        settings=flags(
            models=json.dumps(MODELS),
            scenes=config["figures"]["sample_scenes"],
            **settings_of("training", "low_res_size"),
            formats=FORMATS,
        ),
        figure=figure_option,


use rule run_script as tabulate_runs with:
    input:
        runs=RUNS,
        mse=MSE,
        bilinear=rules.evaluate_bilinear.output,
        code=code("super_resolution/tabulate_runs"),
    output:
        table("runs", "Training", "Runs and failures"),
        note=WARNINGS,
    log:
        f"{LOGS}/tabulate_runs.log",
    params:
        settings=flags(**PRESENTED),
        table=table_option,


use rule run_script as tabulate_results with:
    input:
        **TIMINGS,
        mse=MSE,
        bilinear=rules.evaluate_bilinear.output,
        runs=RUNS,
        code=code("super_resolution/tabulate_results"),
    output:
        table("results", "Errors", "Cost and accuracy"),
    log:
        f"{LOGS}/tabulate_results.log",
    params:
        settings=flags(**PRESENTED, **BASELINES, **BOOTSTRAP),
        table=table_option,


use rule run_script as tabulate_shells with:
    input:
        mse=MSE,
        bilinear=rules.evaluate_bilinear.output,
        code=code("super_resolution/tabulate_shells"),
    output:
        table("shells", "Errors", "Error by distance from the border"),
    log:
        f"{LOGS}/tabulate_shells.log",
    params:
        settings=flags(**PRESENTED, **BOOTSTRAP),
        table=table_option,


use rule run_script as tabulate_provenance with:
    input:
        RUNS,
        *TIMINGS.values(),
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/tabulate_provenance"),
    output:
        table("provenance", "Provenance", "Where the numbers come from"),
    log:
        f"{LOGS}/tabulate_provenance.log",
    params:
        # the order of records, in which rows stand, is no part of what Snakemake compares of inputs
        settings=flags(runs=RUNS, **TIMINGS),
        table=table_option,
