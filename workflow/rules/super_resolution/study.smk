# The padding study, from scenes to figures and tables.


include: "common.smk"
include: "dataset.smk"
include: "training.smk"
include: "evaluation.smk"
include: "timing.smk"
include: "figures.smk"
include: "seams.smk"
