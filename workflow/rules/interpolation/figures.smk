# Scores and reconstructions in, figures, tables, a PDF of each experiment and an animation of each best model out.

PICTURES = {"formats": INTERPOLATION["figures"]["formats"]}
RECONSTRUCTIONS = f"{INTERPOLATED}/reconstructions/{{mask}}/{{model}}.safetensors"
# means over seeds, where there are several
SEED_TABLE = ["seeds"] * (len(INTERPOLATION["masks"]["seeds"]) > 1)
WANTED += [
    *expand(
        f"{INTERPOLATED}/figures/{{name}}.{{format}}",
        name=["field_errors", "uncertainty", "calibration", *expand("frame_strip_{mask}", mask=FIELD_MASKS)],
        format=PICTURES["formats"],
    ),
    *expand(f"{INTERPOLATED}/figures/animation_{{mask}}.png", mask=FIELD_MASKS),
    *expand(
        f"{INTERPOLATED}/tables/{{name}}.{{format}}",
        name=["scores", "fits", *SEED_TABLE],
        format=["csv", "html", "md", "tex"],
    ),
    *per_process("figures/{mask}/{model}.pdf"),
]


def of_all_models(wildcards):
    """Reconstructions by all models: which of them is shown is only known when all are evaluated."""
    return expand(RECONSTRUCTIONS, mask=wildcards.mask, model=PROCESSES)


def folder_of_models(wildcards, input):
    """Folder of a mask's reconstructions, and the mask, as options."""
    return flags(reconstructions=Path(input[0]).parent, mask=wildcards.mask)


use rule run_script as plot_field_errors with:
    input:
        scores=rules.gather_scores.output.output,
        code=code("interpolation/plot_field_errors"),
    output:
        interpolation_figure("field_errors", "Errors"),
    log:
        f"{LOGS}/plot_field_errors.log",
    params:
        files=files,
        settings=flags(**HEADLINE, **PICTURES),
        figure=figure_option,


use rule run_script as plot_uncertainty with:
    input:
        scores=rules.gather_scores.output.output,
        code=code("interpolation/plot_uncertainty"),
    output:
        interpolation_figure("uncertainty", "Uncertainty"),
    log:
        f"{LOGS}/plot_uncertainty.log",
    params:
        files=files,
        settings=flags(**HEADLINE, **PICTURES),
        figure=figure_option,


use rule run_script as plot_calibration with:
    input:
        scores=rules.gather_scores.output.output,
        code=code("interpolation/plot_calibration"),
    output:
        interpolation_figure("calibration", "Calibration"),
    log:
        f"{LOGS}/plot_calibration.log",
    params:
        files=files,
        settings=flags(**HEADLINE, **PICTURES),
        figure=figure_option,


use rule run_script as plot_frame_strip with:
    input:
        of_all_models,
        scores=rules.gather_scores.output.output,
        field=FIELD_FILE,
        code=code("interpolation/plot_frame_strip"),
    output:
        interpolation_figure("frame_strip", "Test frames, {mask}", of="_{mask}"),
    log:
        f"{LOGS}/plot_frame_strip/{{mask}}.log",
    params:
        files=files,
        mask=folder_of_models,
        settings=flags(**HEADLINE, **PICTURES),
        figure=figure_option,


use rule run_script as build_animation with:
    input:
        of_all_models,
        scores=rules.gather_scores.output.output,
        field=FIELD_FILE,
        code=code("interpolation/build_animation"),
    output:
        output=shown_interpolation(
            f"{INTERPOLATED}/figures/animation_{{mask}}.png", "animation", "Animation, {mask}"
        ),
    log:
        f"{LOGS}/build_animation/{{mask}}.log",
    params:
        files=files,
        mask=folder_of_models,
        settings=flags(**HEADLINE),


use rule run_script as export_reconstructions with:
    input:
        reconstruction=RECONSTRUCTIONS,
        field=FIELD_FILE,
        code=code("interpolation/export_reconstructions"),
    output:
        output=f"{INTERPOLATED}/figures/{{mask}}/{{model}}.pdf",
    log:
        f"{LOGS}/export_reconstructions/{{mask}}/{{model}}.log",
    params:
        files=files,
        settings=flags(parts=INTERPOLATION["figures"]["pages"]),


use rule run_script as tabulate_scores with:
    input:
        scores=rules.gather_scores.output.output,
        code=code("interpolation/tabulate_scores"),
    output:
        interpolation_table("scores", "Scores"),
    log:
        f"{LOGS}/tabulate_scores.log",
    params:
        files=files,
        settings=flags(condition_on=INTERPOLATION["evaluation"]["condition_on"]),
        table=table_option,


use rule run_script as tabulate_seeds with:
    input:
        scores=rules.gather_scores.output.output,
        code=code("interpolation/tabulate_seeds"),
    output:
        interpolation_table("seeds", "Scores over seeds"),
    log:
        f"{LOGS}/tabulate_seeds.log",
    params:
        files=files,
        settings=flags(condition_on=INTERPOLATION["evaluation"]["condition_on"]),
        table=table_option,


use rule run_script as tabulate_fits with:
    input:
        per_fit("fits/{mask}/{model}.safetensors"),
        code=code("interpolation/tabulate_fits"),
    output:
        interpolation_table("fits", "Fits"),
    log:
        f"{LOGS}/tabulate_fits.log",
    params:
        # the order of fits, in which rows stand, is no part of what Snakemake compares of inputs
        settings=flags(fits=per_fit("fits/{mask}/{model}.safetensors")),
        table=table_option,
