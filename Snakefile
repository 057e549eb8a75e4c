# SPDX-License-Identifier: MIT


# Verified brain masks: snakemake masks/MNI152NLin6Asym_2mm.nii.gz
include: "workflow/rules/main.smk"


# In this file, because a rule of an included one is never the default target.
rule all:
    input:
        masks_of_configuration,
