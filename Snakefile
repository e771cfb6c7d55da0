# Predict the pixels one cannot see: the studies that the configuration asks for, from data to figures and tables.
#
#   snakemake --cores all                                      the default study
#   snakemake --cores all --configfile config/paper.yaml       an overlay on top of config.yaml
#   snakemake --cores all interpolation                        another study, by its name

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/run_script.smk"


# a study that is not asked for, by the configuration or as a target, is not even read
for study in STUDIES:
    others = len(WANTED)

    include: f"workflow/rules/{study}/study.smk"

    rule:
        name:
            study
        input:
            WANTED[others:],


rule all:
    default_target: True
    input:
        WANTED,
