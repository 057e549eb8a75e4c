# SPDX-License-Identifier: MIT

# Everything but `rule all`, which must stand in the Snakefile that is run.
from snakemake.utils import min_version

# The version that all of this was measured with. What it rests on (private copies of sources,
# which parameters are recorded, what a failing input function does) older ones do not state.
min_version("9.27")


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
