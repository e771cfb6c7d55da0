# Measurements and residuals in, figures and tables out.

ALL_RESIDUALS = expand(RESIDUALS, cube=CUBES, codec=PREDICTED)
WANTED += [
    *expand(
        f"{COMPRESSED}/figures/{{name}}.{{format}}",
        name=[
            "rate_distortion",
            "compression_speed",
            *(["rate_by_band", *expand("residual_images_{cube}", cube=CUBES)] if PREDICTED else []),
        ],
        format=CUBE_FORMATS["formats"],
    ),
    *expand(
        f"{COMPRESSED}/tables/{{name}}.{{format}}",
        name=["rates", "costs"],
        format=["csv", "html", "md", "tex"],
    ),
]


def residuals_of_cube(wildcards):
    """Residuals of all predictors on a cube."""
    return expand(RESIDUALS, cube=wildcards.cube, codec=PREDICTED)


use rule run_script as plot_residual_images with:
    input:
        residuals_of_cube,
        code=code("compression/plot_residual_images"),
    output:
        compression_figure("residual_images", "Residuals, {cube}", of="_{cube}"),
    log:
        f"{LOGS}/plot_residual_images/{{cube}}.log",
    params:
        residuals=lambda wildcards: flags(residuals=residuals_of_cube(wildcards)),
        settings=flags(**CUBE_FORMATS),
        figure=figure_option,


use rule run_script as plot_rate_by_band with:
    input:
        ALL_RESIDUALS,
        code=code("compression/plot_rate_by_band"),
    output:
        compression_figure("rate_by_band", "Rate by band"),
    log:
        f"{LOGS}/plot_rate_by_band.log",
    params:
        residuals=flags(residuals=ALL_RESIDUALS),
        settings=flags(**CUBE_FORMATS),
        figure=figure_option,


use rule run_script as plot_rate_distortion with:
    input:
        measurements=rules.gather_measurements.output.output,
        code=code("compression/plot_rate_distortion"),
    output:
        compression_figure("rate_distortion", "Rate and distortion"),
    log:
        f"{LOGS}/plot_rate_distortion.log",
    params:
        files=files,
        settings=flags(**CUBE_FORMATS),
        figure=figure_option,


use rule run_script as plot_compression_speed with:
    input:
        measurements=rules.gather_measurements.output.output,
        code=code("compression/plot_compression_speed"),
    output:
        compression_figure("compression_speed", "Rate and speed"),
    log:
        f"{LOGS}/plot_compression_speed.log",
    params:
        files=files,
        settings=flags(**CUBE_FORMATS),
        figure=figure_option,


use rule run_script as tabulate_rates with:
    input:
        measurements=rules.gather_measurements.output.output,
        code=code("compression/tabulate_rates"),
    output:
        compression_table("rates", "Bits per sample"),
    log:
        f"{LOGS}/tabulate_rates.log",
    params:
        files=files,
        table=table_option,


use rule run_script as tabulate_costs with:
    input:
        measurements=rules.gather_measurements.output.output,
        code=code("compression/tabulate_costs"),
    output:
        compression_table("costs", "Speed and memory"),
    log:
        f"{LOGS}/tabulate_costs.log",
    params:
        files=files,
        table=table_option,
