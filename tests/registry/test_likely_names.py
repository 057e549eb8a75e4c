# SPDX-License-Identifier: MIT
"""Which names are taken for that of a mask, and which are left to others."""

import re

import pytest
from test_other_names import SUGGESTED

from brainmasks.registry import like_a_mask, shipped_registry

REGISTRY = shipped_registry()
SPACES = {mask.space for mask in REGISTRY.list()} | set(REGISTRY.aliases)
PATTERN = re.compile(like_a_mask(SPACES))
ALONE = re.compile(like_a_mask(SPACES, "(?!_grid-)[^/]"))


@pytest.mark.parametrize("name", REGISTRY)
def test_every_registered_name(name):
    assert PATTERN.fullmatch(name)
    assert PATTERN.fullmatch(f"{name}_grid-FSL-3mm")
    assert ALONE.fullmatch(name)


@pytest.mark.parametrize("name", [name for name in SUGGESTED if not name.startswith("sub-")])
def test_every_name_that_is_answered(name):
    assert PATTERN.fullmatch(name.rpartition("/")[2])


@pytest.mark.parametrize(
    "name",
    [
        "MNI152NLin6Asym_2m",
        "MNI152NLin6Asym-2mm",
        "MNI152NLin6Asym 2mm",
        "MNI152Nlin6asym_2mm",
        "mni152_2MM",
        "MNI152NLin6Asym",
        "MNI152NLin6Asym_2mm_desc-brian",
        "MNI152NLin6Asym_2mm.nii",
        "pnc_1x1x1",
        "Lab_2x2x4mm",
        "Talairach_2mm",
    ],
)
def test_misspelt_name(name):
    assert PATTERN.fullmatch(name)


@pytest.mark.parametrize(
    "name",
    [
        "sub-01",
        "sub-01_ses-2_T1w",
        "sub-01_space-MNI152NLin6Asym_res-2mm_desc-brain_mask",
        "sub-01_space-MNI152NLin6Asym_res-2_desc-brain_mask",
        "sub-01_2mm",
        "lesion",
        "patient7_3m",
        "01",
        "summary",
        "comma",
        "PNCs_first",
        "",
    ],
)
def test_name_of_somebody_elses_file(name):
    assert not PATTERN.fullmatch(name)


def test_name_on_another_grid_is_two_names():
    assert not ALONE.fullmatch("MNI152NLin6Asym_2mm_grid-FSL-3mm")
    # The size of a grid is none of a mask.
    assert not ALONE.match("lesion_grid-FSL-3mm")


def test_without_spaces_only_sizes_and_names_elsewhere_count():
    pattern = re.compile(like_a_mask([]))
    assert pattern.fullmatch("Lab_2mm")
    assert pattern.fullmatch("avg152T1")
    assert not pattern.fullmatch("lesion")


def test_of_thousands_of_spaces_a_mask_is_known_by_its_size():
    """Snakemake would take seconds to compile them."""
    spaces = [f"Lab{n}" for n in range(10_000)]
    pattern = like_a_mask(spaces)
    assert len(pattern) < 10_000
    assert re.fullmatch(pattern, "Lab77_2mm")
    assert not re.fullmatch(pattern, "Lab77")
    assert re.fullmatch(like_a_mask(spaces[:100]), "Lab77")
