# Verified brain masks: snakemake masks/MNI152NLin6Asym_2mm.nii.gz
from snakemake.utils import min_version

# The version that all of this was measured with. What it rests on (private copies of sources,
# which parameters are recorded, what a failing input function does) is not promised by older ones.
min_version("9.27")


include: "workflow/rules/common.smk"


# In this file, because a rule of an included one never is the default target.
rule all:
    input:
        expand("masks/{mask}.{suffix}", mask=SETTINGS["masks"], suffix=("nii.gz", "json")),


include: "workflow/rules/masks.smk"
include: "workflow/rules/images.smk"
include: "workflow/rules/qc.smk"
