# Predict the pixels one cannot see: the padding study, from scenes to figures and tables.
#
#   snakemake --cores all                                      the default study
#   snakemake --cores all --configfile config/paper.yaml       an overlay on top of config.yaml

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/run_script.smk"
include: "workflow/rules/super_resolution/common.smk"
include: "workflow/rules/super_resolution/dataset.smk"
include: "workflow/rules/super_resolution/training.smk"
include: "workflow/rules/super_resolution/evaluation.smk"
include: "workflow/rules/super_resolution/timing.smk"
include: "workflow/rules/super_resolution/figures.smk"


rule all:
    default_target: True
    input:
        FIGURES,
        TABLES,
