# SPDX-License-Identifier: MIT
"""Rows beyond the plain one: several masks of a grid, an MD5 instead of hashes, paths, metadata."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support import COLUMNS, SCHEMA, tiny_mask, write_table

import brainmasks
from brainmasks import (
    BrainMaskMetadata,
    BrainMaskRegistry,
    RegistryError,
    mask_name,
    read_registry,
    shipped_tables,
)
from brainmasks.registry import lacunas_masks, read_resolution, split_name

ALL_COLUMNS = list(SCHEMA["properties"])
PLAIN = dict.fromkeys(ALL_COLUMNS, "") | tiny_mask("A")[1] | {"url": "https://example.org/a"}
OF_MD5 = PLAIN | {
    "md5": "0123456789abcdef" * 2,
    **dict.fromkeys(("sha256", "content_sha256", "origin", "voxels"), ""),
}


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a table of these rows, and reads it."""

    def read(*rows: dict, columns=ALL_COLUMNS) -> BrainMaskRegistry:
        return read_registry(write_table(tmp_path / "own.tsv", rows, columns), aliases={})

    return read


# --- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ({}, "A_2mm"),
        ({"desc": "brain"}, "A_2mm"),
        ({"desc": "brainDil"}, "A_2mm_desc-brainDil"),
        ({"space": "A_cohort-2"}, "A_cohort-2_2mm"),
        ({"resolution": "2x2x4"}, "A_2x2x4mm"),
        ({"resolution": "2.0x2x2.00"}, "A_2mm"),
        ({"resolution": "0.70x0.7x1", "desc": "GM"}, "A_0.7x0.7x1mm_desc-GM"),
        ({"space": "A_cohort-x", "resolution": "1x2x3", "desc": "d"}, "A_cohort-x_1x2x3mm_desc-d"),
    ],
)
def test_name_says_space_voxels_and_what_else_tells_a_mask_from_others(read, cells, name):
    registry = read(PLAIN | cells)
    assert registry.keys() == [name]
    mask = registry.serve(name)
    assert mask_name(mask.space, mask.resolution, mask.desc) == mask.name == name
    space, resolution, desc = split_name(name)
    assert (space, read_resolution(resolution), desc) == (mask.space, mask.resolution, mask.desc)


def test_masks_of_one_grid_are_told_apart_by_desc_and_only_by_it(read):
    registry = read(PLAIN, PLAIN | {"desc": "brainDil"}, PLAIN | {"desc": "brainEro"})
    assert registry.keys() == ["A_2mm", "A_2mm_desc-brainDil", "A_2mm_desc-brainEro"]
    assert [mask.desc for mask in registry.list(space="A")] == ["brain", "brainDil", "brainEro"]
    for again in ("", "brain"):
        with pytest.raises(RegistryError, match=r"A_2mm is registered twice.*give it another `de"):
            read(PLAIN, PLAIN | {"desc": again})


def test_voxels_that_are_no_cubes_make_the_affine_and_the_volume(read):
    mask = read(PLAIN | {"resolution": "2x3x4"})["A_2x3x4mm"]
    assert mask.affine.tolist() == [[2, 0, 0, -6], [0, 3, 0, -8], [0, 0, 4, -4], [0, 0, 0, 1]]
    assert mask.zooms == (2, 3, 4)
    assert mask.voxel_ml == 0.024
    assert mask.resolution_words == "2x3x4 mm"
    assert replace(mask, resolution=2.0).resolution_words == "2 mm isotropic"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("A_2mm_desc-braindil", "A_2mm_desc-brainDil"),
        ("A_2.0mm_desc-brainDil", "A_2mm_desc-brainDil"),
        ("a_cohort-2_2x2x4.0mm", "A_cohort-2_2x2x4mm"),
    ],
)
def test_other_spelling_of_a_long_name_is_answered_with_the_name(read, asked, meant):
    cohort = {"space": "A_cohort-2", "resolution": "2x2x4"}
    registry = read(PLAIN, PLAIN | {"desc": "brainDil"}, PLAIN | cohort)
    with pytest.raises(KeyError, match=f"did you mean {meant}\\?"):
        registry.serve(asked)


# --- Rows that state an MD5 ----------------------------------------------------------------------


def test_row_that_states_an_md5_leaves_open_what_is_not_known(read):
    mask = read(OF_MD5 | {"md5": OF_MD5["md5"].upper()})["A_2mm"]
    assert (mask.md5, mask.bytes, mask.shape) == (OF_MD5["md5"], int(OF_MD5["bytes"]), (6, 7, 5))
    assert (mask.sha256, mask.content_sha256, mask.origin, mask.voxels) == ("", "", None, None)
    assert not mask.is_complete
    with pytest.raises(ValueError, match="the origin of A_2mm is not known before it was fetched"):
        _ = mask.affine
    assert BrainMaskMetadata.from_row(mask.as_row()) == replace(mask, description="", folder="")


def test_row_that_states_an_md5_may_state_origin_and_voxels(read):
    mask = read(OF_MD5 | {"origin": "-6,-8,-4", "voxels": "117"})["A_2mm"]
    assert (mask.origin, mask.voxels) == ((-6, -8, -4), 117)
    assert np.array_equal(mask.affine, brainmasks.BrainMaskMetadata.from_row(PLAIN).affine)


@pytest.mark.parametrize(
    ("cells", "columns"),
    [
        ({"md5": ""}, ["sha256", "content_sha256", "origin", "voxels"]),
        ({"sha256": "0" * 64}, ["sha256"]),
        ({"content_sha256": "0" * 64}, ["content_sha256"]),
        ({"sha256": "0" * 64, "content_sha256": "0" * 64}, ["sha256", "content_sha256"]),
        ({"bytes": ""}, ["bytes"]),
        ({"shape": ""}, ["shape"]),
    ],
    ids=["no hash at all", "SHA-256 too", "content's too", "all hashes", "no size", "no shape"],
)
def test_row_states_either_an_md5_or_the_other_hashes_and_all_that_goes_with_them(
    read, cells, columns
):
    with pytest.raises(RegistryError) as caught:
        read(OF_MD5 | cells)
    named = [column for column in ALL_COLUMNS if f"column '{column}'" in str(caught.value)]
    assert named == columns


@pytest.mark.parametrize("column", ["sha256", "content_sha256", "origin", "voxels"])
def test_row_without_an_md5_states_every_hash_and_the_grid(read, column):
    with pytest.raises(RegistryError, match=f"line 2 .*column '{column}' is empty"):
        read(PLAIN | {column: ""})


def test_masks_of_which_everything_is_known_are_those_to_compare_with(read):
    registry = read(PLAIN, OF_MD5 | {"desc": "other"})
    assert [mask.name for mask in registry.complete()] == ["A_2mm"]
    assert set(registry.by_hash()) == {PLAIN["sha256"], PLAIN["content_sha256"]}


def test_columns_of_older_tables_are_enough(read):
    mask = read(PLAIN, columns=COLUMNS)["A_2mm"]
    assert (mask.desc, mask.md5, mask.notice) == ("brain", "", "")


def test_path_of_a_row_starts_from_the_folder_of_its_table(read, tmp_path):
    mask = read(PLAIN | {"url": "files/a.nii.gz"})["A_2mm"]
    assert (mask.url, mask.folder) == ("files/a.nii.gz", str(tmp_path))


# --- The registry in Python ----------------------------------------------------------------------


def test_without_arguments_the_shipped_tables_and_aliases_are_read():
    registry = read_registry()
    assert [path.name for path in shipped_tables()] == [
        "masks.tsv",
        "more_masks.tsv",
        "templateflow.tsv",
    ]
    assert registry.keys()[:4] == list(lacunas_masks())
    assert registry.aliases == brainmasks.BRAIN_MASK_REGISTRY.aliases != {}


def test_table_of_ones_own_is_read_beside_the_shipped_ones(tmp_path):
    own = write_table(tmp_path / "own.tsv", [PLAIN])
    registry = read_registry([*shipped_tables(), own])
    assert registry.keys() == [*brainmasks.BRAIN_MASK_REGISTRY.keys(), "A_2mm"]
    assert read_registry(str(own)).keys() == read_registry(own).keys() == ["A_2mm"]


def test_row_of_ones_own_takes_the_place_of_a_shipped_one_that_is_not_lacunas(tmp_path):
    """Whoever had registered a mask before it was shipped keeps what he had."""
    own = write_table(
        tmp_path / "own.tsv", [PLAIN | {"space": "MNI152NLin6Asym", "resolution": "0.7"}]
    )
    registry = read_registry([*shipped_tables(), own])
    assert registry["MNI152NLin6Asym_0.7mm"].sha256 == PLAIN["sha256"]
    assert registry.own == {"MNI152NLin6Asym_0.7mm": f"{own}, line 2"}
    assert len(registry) == len(brainmasks.BRAIN_MASK_REGISTRY)
    lacunas = write_table(
        tmp_path / "two.tsv", [PLAIN | {"space": "MNI152NLin6Asym", "resolution": "2"}]
    )
    with pytest.raises(RegistryError, match="MNI152NLin6Asym_2mm is registered twice"):
        read_registry([*shipped_tables(), lacunas])


def test_alias_of_ones_own_takes_the_place_of_shipped_rows(tmp_path):
    registry = read_registry(aliases={"MNI152NLin2009cSym": "MNI152NLin2009cAsym"})
    assert registry.serve("MNI152NLin2009cSym_1mm").name == "MNI152NLin2009cAsym_1mm"


def test_registry_says_how_many_masks_and_spaces_it_has(read):
    registry = read(PLAIN, PLAIN | {"desc": "x"}, PLAIN | {"space": "B"})
    assert repr(registry) == "<BrainMaskRegistry: 3 masks of 2 spaces>"


def test_mask_is_registered_once(read):
    registry = read(PLAIN)
    other = replace(registry["A_2mm"], name="A_2mm_desc-x", desc="x")
    registry.register(other)
    assert registry["A_2mm_desc-x"] is registry.serve("A_2mm_desc-x") is other
    with pytest.raises(RegistryError, match=r"A_2mm_desc-x is registered already.*another `desc`"):
        registry.register(other)


def test_mask_of_a_space_that_is_served_as_another_is_not_registered(read):
    registry = BrainMaskRegistry([], aliases={"A": "B"})
    with pytest.raises(RegistryError, match="A_2mm cannot be registered: A is served as B"):
        registry.register(read(PLAIN)["A_2mm"])
    assert len(registry) == 0


def test_metadata_are_made_of_what_must_be_known():
    mask = BrainMaskMetadata(name="A_2mm", description="mine", space="A", resolution=2.0)
    assert (mask.url, mask.sha256, mask.source) == ("", "", "templateflow")
    assert (mask.desc, mask.license, mask.citation) == ("brain", "unknown", "unknown")


def test_metadata_as_a_dictionary_are_json_without_secrets(read):
    url = "https://user:pass-word@example.org/a?token=s3cret"
    mask = read(PLAIN | {"url": url, "notice": "(C) A"})["A_2mm"]
    known = mask.to_dict()
    assert "folder" not in known
    assert known["url"] == "https://example.org/a?***"
    assert (known["name"], known["shape"], known["notice"]) == ("A_2mm", (6, 7, 5), "(C) A")
    text = json.dumps(known)
    assert "pass-word" not in text
    assert "s3cret" not in text


def test_lacunas_masks_are_those_of_the_first_table_with_their_hashes():
    shipped = read_registry(shipped_tables()[0])
    assert lacunas_masks() == {name: shipped[name].sha256 for name in shipped}
    assert len(lacunas_masks()) == 4
