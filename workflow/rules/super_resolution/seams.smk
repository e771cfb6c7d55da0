# What happens where tiles meet: presets as they were trained, strategies of tiling, and paddings exchanged without
# training anew. One job a preset for all its seeds: it is a matter of seconds.

SEAMS = config["seams"]
SEAM_SCENES = flags(scenes=SEAMS["scenes"], **settings_of("training", "low_res_size"))
TRAINED = {name: PRESETS[name].padding for name in SEAMS["transfer_presets"]}
MEASURED_SEAMS = {
    kind: [f"{RESULTS}/evaluation/{kind}/{preset}.parquet" for preset in SEAMS[key]]
    for kind, key in (
        ("seams", "presets"),
        ("strategies", "strategy_presets"),
        ("transfer", "transfer_presets"),
    )
}
for kind, paths in MEASURED_SEAMS.items():
    if paths:
        WANTED += expand(f"{RESULTS}/figures/{kind}.{{format}}", format=FORMATS)
        WANTED += expand(f"{RESULTS}/tables/{kind}.{{format}}", format=TABLE_FORMATS)


use rule run_script as evaluate_seams with:
    input:
        models=networks,
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/evaluate_seams"),
    output:
        output=f"{RESULTS}/evaluation/seams/{{preset}}.parquet",
    log:
        f"{LOGS}/evaluate_seams/{{preset}}.log",
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=SEAM_SCENES,


use rule run_script as evaluate_strategies with:
    input:
        models=networks,
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/evaluate_strategies"),
    output:
        output=f"{RESULTS}/evaluation/strategies/{{preset}}.parquet",
    log:
        f"{LOGS}/evaluate_strategies/{{preset}}.log",
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=SEAM_SCENES,
        strategies=flags(**settings_of("seams", "overlaps", "curves")),


use rule run_script as evaluate_transfer with:
    input:
        models=networks,
        test=rules.build_arrays.output.test,
        summary=rules.build_arrays.output.summary,
        code=code("super_resolution/evaluate_transfer"),
    output:
        output=f"{RESULTS}/evaluation/transfer/{{preset}}.parquet",
    log:
        f"{LOGS}/evaluate_transfer/{{preset}}.log",
    resources:
        **growing(mem_mb=4000, runtime=30),
    params:
        settings=SEAM_SCENES,
        paddings=flags(paddings=SEAMS["transfer_paddings"]),


use rule run_script as plot_seams with:
    input:
        MEASURED_SEAMS["seams"],
        code=code("super_resolution/plot_seams"),
    output:
        figure("seams", "Seams", "Deviation by distance from the seam"),
    log:
        f"{LOGS}/plot_seams.log",
    params:
        tables=seam_tables("seams"),
        settings=flags(presets=crops(SEAMS["presets"]), **BOOTSTRAP, formats=FORMATS),
        figure=figure_option,


use rule run_script as tabulate_seams with:
    input:
        MEASURED_SEAMS["seams"],
        code=code("super_resolution/tabulate_seams"),
    output:
        table("seams", "Seams", "What happens where tiles meet"),
    log:
        f"{LOGS}/tabulate_seams.log",
    params:
        tables=seam_tables("seams"),
        settings=flags(presets=crops(SEAMS["presets"]), **BOOTSTRAP),
        table=table_option,


use rule run_script as plot_strategies with:
    input:
        MEASURED_SEAMS["strategies"],
        code=code("super_resolution/plot_strategies"),
    output:
        figure("strategies", "Seams", "Error against compute"),
    log:
        f"{LOGS}/plot_strategies.log",
    params:
        tables=seam_tables("strategies"),
        settings=flags(**BOOTSTRAP, formats=FORMATS),
        figure=figure_option,


use rule run_script as tabulate_strategies with:
    input:
        MEASURED_SEAMS["strategies"],
        code=code("super_resolution/tabulate_strategies"),
    output:
        table("strategies", "Seams", "Error against compute"),
        costs=f"{RESULTS}/evaluation/strategies.csv",
    log:
        f"{LOGS}/tabulate_strategies.log",
    params:
        tables=seam_tables("strategies"),
        settings=flags(**BOOTSTRAP),
        table=table_option,


use rule run_script as plot_transfer with:
    input:
        MEASURED_SEAMS["transfer"],
        code=code("super_resolution/plot_transfer"),
    output:
        figure("transfer", "Seams", "Paddings exchanged"),
    log:
        f"{LOGS}/plot_transfer.log",
    params:
        tables=seam_tables("transfer"),
        settings=flags(trained=json.dumps(TRAINED), **BOOTSTRAP, formats=FORMATS),
        figure=figure_option,


use rule run_script as tabulate_transfer with:
    input:
        MEASURED_SEAMS["transfer"],
        code=code("super_resolution/tabulate_transfer"),
    output:
        table("transfer", "Seams", "Paddings exchanged"),
    log:
        f"{LOGS}/tabulate_transfer.log",
    params:
        tables=seam_tables("transfer"),
        settings=flags(trained=json.dumps(TRAINED), **BOOTSTRAP),
        table=table_option,
