# SPDX-License-Identifier: MIT
"""Names of other tools, and misspelt ones: what is suggested, and that nothing is ever guessed."""

import pytest
from support import REPO, table_rows

from brainmasks import BRAIN_MASK_REGISTRY, UnknownMaskError

SIX, NINE = "MNI152NLin6Asym", "MNI152NLin2009cAsym"
SUGGESTED = {
    # FSL
    "MNI152_T1_2mm_brain_mask": [f"{SIX}_2mm"],
    "MNI152_T1_2mm_brain_mask.nii.gz": [f"{SIX}_2mm"],
    "$FSLDIR/data/standard/MNI152_T1_1mm_brain_mask_dil": [f"{SIX}_1mm_desc-brainDil"],
    "MNI152_2mm": [f"{SIX}_2mm"],
    "mni152_t1_2MM": [f"{SIX}_2mm"],
    # FSL's and HCP's, which differ
    "MNI152_T1_1mm_brain_mask": [f"{SIX}_1mm", f"{SIX}_1mm_desc-brainHCP"],
    "MNI152_T1_0.7mm_brain_mask": [f"{SIX}_0.7mm_desc-brainHCP"],
    # TemplateFlow: its index is no size
    f"tpl-{SIX}_res-02_desc-brain_mask": [f"{SIX}_2mm"],
    f"tpl-{SIX}_res-04_desc-brain_mask": [f"{SIX}_0.7mm"],
    f"tpl-{SIX}_res-2_desc-brain_mask.nii.gz": [f"{SIX}_2mm"],
    "tpl-MNIInfant_cohort-11_res-1_desc-brain_mask": ["MNIInfant_cohort-11_1mm"],
    # fMRIPrep and BIDS
    f"{NINE}_res-2": [f"{NINE}_2mm"],
    f"{NINE}:res-2": [f"{NINE}_2mm"],
    f"{NINE}:res-native": [f"{NINE}_1mm", f"{NINE}_2mm"],
    "MNIPediatricAsym:cohort-2": ["MNIPediatricAsym_cohort-2_1mm", "MNIPediatricAsym_cohort-2_2mm"],
    "MNIPediatricAsym:cohort-2:res-1": ["MNIPediatricAsym_cohort-2_1mm"],
    f"sub-01_space-{NINE}_res-2_desc-brain_mask": [f"{NINE}_2mm"],
    f"space-{SIX}_res-0p7_desc-brain_mask": [f"{SIX}_0.7mm"],
    "MNI152NLin2009aAsym_res-1": [f"{NINE}_1mm"],
    # SPM, AFNI, MNI, Lead-DBS
    "avg152T1.nii": ["MNI152Lin_2mm"],
    "MNI_avg152T1+tlrc": ["MNI152Lin_2mm"],
    "MNI152_T1_2009c+tlrc.BRIK.gz": [f"{NINE}_1mm"],
    "MNI152_2009_template_SSW.nii.gz": [f"{NINE}_1mm"],
    "mni_icbm152_t1_tal_nlin_asym_09c_mask": [f"{NINE}_1mm"],
    "mni_icbm152_t1_tal_nlin_sym_09c_mask": ["MNI152NLin2009cSym_1mm"],
    "MNI_ICBM_2009b_NLIN_ASYM": [f"{NINE}_1mm"],
    # As files are called here and in lacuna's cache
    f"{SIX}_2mm.nii.gz": [f"{SIX}_2mm"],
    f"{SIX}_2mm_desc-brain": [f"{SIX}_2mm"],
    f"{SIX}_2mm_desc-brain_mask.nii.gz": [f"{SIX}_2mm"],
    # Misspelt
    "MNI152NLin6ASym_2mm": [f"{SIX}_2mm"],
    "mni152nlin6asym_2mm": [f"{SIX}_2mm"],
    f"{SIX}_2.0mm": [f"{SIX}_2mm"],
    f"{SIX}_2x2x2mm": [f"{SIX}_2mm"],
    f"{NINE}_2mmm": [f"{NINE}_2mm", f"{NINE}_1mm"],
    "PNC_0.9375x0.9375mm": ["PNC_0.9375x0.9375x1mm"],
}
NOBODYS = [
    "fsaverage",
    "TPM",
    "Lena",
    "",
    "_",
    ":",
    "res-2",
    "tpl-",
    "x" * 5000,
    "\x1b[31m",
    "../..",
]


@pytest.mark.parametrize("name", SUGGESTED)
def test_name_is_answered_and_not_served(name):
    assert BRAIN_MASK_REGISTRY.meant(name) == SUGGESTED[name]
    with pytest.raises(UnknownMaskError) as failure:
        BRAIN_MASK_REGISTRY.serve(name)
    assert f"did you mean {' or '.join(SUGGESTED[name])}?" in str(failure.value)


def test_at_least_30_names_are_tried():
    assert len(SUGGESTED) >= 30


@pytest.mark.parametrize("name", NOBODYS, ids=range(len(NOBODYS)))
def test_name_of_nobody_gets_no_suggestion(name):
    assert BRAIN_MASK_REGISTRY.meant(name) == []


def test_name_that_is_served_is_meant_itself():
    assert BRAIN_MASK_REGISTRY.meant(f"{SIX}_2mm") == [f"{SIX}_2mm"]
    assert BRAIN_MASK_REGISTRY.meant("MNI152NLin2009bAsym_2mm") == ["MNI152NLin2009bAsym_2mm"]


def test_every_name_of_the_table_leads_to_a_registered_mask():
    for row in table_rows(REPO / "workflow" / "tables" / "other_names.tsv"):
        assert row["mask"] in BRAIN_MASK_REGISTRY
        assert row["mask"] in BRAIN_MASK_REGISTRY.meant(row["name"])
