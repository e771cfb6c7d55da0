# A field from one of three sources, and the pixels of it that are observed.


use rule run_script as retrieve_field with:
    input:
        code=code("interpolation/retrieve_field"),
    output:
        output=f"{RESOURCES}/interpolation/continuous_signal_demo_dataset.nc",
    log:
        f"{LOGS}/retrieve_field.log",
    params:
        files=files,
        settings=flags(**INTERPOLATION["field"]["published"]),


FIELD_INPUTS, FIELD_SETTINGS = {
    "synthetic": ({}, INTERPOLATION["field"]["synthetic"]),
    "netcdf": (
        {"netcdf": INTERPOLATION["field"]["netcdf"]["path"]},
        {key: INTERPOLATION["field"]["netcdf"][key] for key in ["variable", "units"]},
    ),
    "published": ({"netcdf": rules.retrieve_field.output.output}, {"units": "K"}),
}[INTERPOLATION["field"]["source"]]


use rule run_script as build_field with:
    input:
        **FIELD_INPUTS,
        code=code("interpolation/build_field"),
    output:
        output=FIELD_FILE,
    log:
        f"{LOGS}/build_field.log",
    params:
        files=files,
        settings=flags(**FIELD_SETTINGS, **FRAMES_OF_PARTS),


use rule run_script as build_masks with:
    input:
        field=FIELD_FILE,
        code=code("interpolation/build_masks"),
    output:
        output=MASK_FILES,
    log:
        f"{LOGS}/build_masks/{{mask}}.log",
    params:
        files=files,
        settings=lambda wildcards: flags(**FIELD_MASKS[wildcards.mask], **FRAMES_OF_PARTS),
