# SPDX-License-Identifier: MIT

# Everything but `rule all`, which must stand in the Snakefile that is run.
from snakemake.utils import min_version

# The oldest one with which all forms work but two, gitlab() and a URL alone, which take 9.23. Since 9.12
# there are path variables; since 9.14.6 github() clones, where it asked for each file before.
# docs/versions.md has more.
min_version("9.14.6")


include: "own_files.smk"
include: "folders.smk"
include: "configuration.smk"
include: "stored_files.smk"
include: "damaged_files.smk"
include: "mask_functions.smk"
include: "image_functions.smk"
include: "grid_functions.smk"
include: "masks.smk"
include: "grids.smk"
include: "images.smk"
include: "qc.smk"
include: "own_rules.smk"
