# Models fitted and evaluated, each on each choice of masks, and their average; a fit that fails is a result, too.

CONDITIONING = flags(condition_on=INTERPOLATION["evaluation"]["condition_on"], **FRAMES_OF_PARTS)


use rule run_script as train_process with:
    input:
        field=FIELD_FILE,
        masks=MASK_FILES,
        code=code("interpolation/train_process"),
    output:
        fit=f"{INTERPOLATED}/fits/{{mask}}/{{model}}.safetensors",
    log:
        f"{LOGS}/train_process/{{mask}}/{{model}}.log",
    resources:
        **growing(mem_mb=3000, runtime=60),
    params:
        files=files,
        process=lambda wildcards: flags(model=wildcards.model),
        settings=flags(**INTERPOLATION["fitting"], **FRAMES_OF_PARTS),


use rule run_script as evaluate_process with:
    input:
        field=FIELD_FILE,
        masks=MASK_FILES,
        fit=rules.train_process.output.fit,
        code=code("interpolation/evaluate_process"),
    output:
        scores=f"{INTERPOLATED}/scores/{{mask}}/{{model}}.parquet",
        reconstruction=f"{INTERPOLATED}/reconstructions/{{mask}}/{{model}}.safetensors",
        predictions=f"{INTERPOLATED}/predictions/{{mask}}/{{model}}.safetensors",
    log:
        f"{LOGS}/evaluate_process/{{mask}}/{{model}}.log",
    wildcard_constraints:
        model=FITTED_MODELS,
    resources:
        **growing(mem_mb=3000, runtime=30),
    params:
        files=files,
        process=lambda wildcards: flags(model=wildcards.model),
        settings=CONDITIONING,
        pictures=flags(**HEADLINE, pictured=PICTURED),


use rule run_script as evaluate_average with:
    input:
        field=FIELD_FILE,
        masks=MASK_FILES,
        predictions=expand(
            rules.evaluate_process.output.predictions, model=averaged_in(INTERPOLATION), allow_missing=True
        ),
        code=code("interpolation/evaluate_average"),
    output:
        scores=f"{INTERPOLATED}/scores/{{mask}}/{AVERAGE}.parquet",
        reconstruction=f"{INTERPOLATED}/reconstructions/{{mask}}/{AVERAGE}.safetensors",
    log:
        f"{LOGS}/evaluate_average/{{mask}}.log",
    params:
        files=files,
        settings=CONDITIONING,
        pictures=flags(**HEADLINE, pictured=PICTURED),


use rule run_script as evaluate_baselines with:
    input:
        field=FIELD_FILE,
        masks=MASK_FILES,
        code=code("interpolation/evaluate_baselines"),
    output:
        scores=f"{INTERPOLATED}/baselines/{{mask}}.parquet",
    log:
        f"{LOGS}/evaluate_baselines/{{mask}}.log",
    params:
        files=files,
        settings=CONDITIONING,


ALL_SCORES = [
    *per_process("scores/{mask}/{model}.parquet"),
    *expand(f"{INTERPOLATED}/baselines/{{mask}}.parquet", mask=FIELD_MASKS),
]


use rule run_script as gather_scores with:
    input:
        ALL_SCORES,
        code=code("interpolation/gather_scores"),
    output:
        output=f"{INTERPOLATED}/scores.parquet",
    log:
        f"{LOGS}/gather_scores.log",
    params:
        files=files,
        # the order of tables, in which rows stand, is no part of what Snakemake compares of inputs
        settings=flags(scores=ALL_SCORES),
