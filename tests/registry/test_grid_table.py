# SPDX-License-Identifier: MIT
"""The table of known grids."""

import re

import pytest
from support import REPO, shipped_rows, table_rows, write_table

from brainmasks import BRAIN_MASK_REGISTRY, RegistryError
from brainmasks.registry import KnownGrid, shipped_grids
from brainmasks.registry.grid_table import read_grids

SCHEMA = REPO / "workflow" / "schemas" / "grids.schema.json"
ROW = {
    "grid": "SPM12-2mm",
    "shape": "79x95x79",
    "zooms": "2x2x2",
    "origin": "-78,-112,-70",
    "spaces": "MNI152NLin6Asym,MNI152Lin",
    "used_by": "SPM12",
    "files_seen": "6",
}
GRIDS = shipped_grids()


def read(folder, *rows: dict, columns=tuple(ROW)) -> dict[str, KnownGrid]:
    """Write a table of these rows, and read it."""
    return read_grids(write_table(folder / "grids.tsv", list(rows), columns), SCHEMA)


def test_row_is_read(tmp_path):
    grid = read(tmp_path, ROW | {"zooms": "1.25x2x0.7", "origin": "-78,0.5,-70"})["SPM12-2mm"]
    assert grid == KnownGrid(
        name="SPM12-2mm",
        shape=(79, 95, 79),
        zooms=(1.25, 2.0, 0.7),
        origin=(-78.0, 0.5, -70.0),
        spaces=("MNI152NLin6Asym", "MNI152Lin"),
        used_by="SPM12",
    )
    assert grid.affine.tolist() == [
        [1.25, 0, 0, -78],
        [0, 2, 0, 0.5],
        [0, 0, 0.7, -70],
        [0, 0, 0, 1],
    ]


def test_unknown_spaces_are_none(tmp_path):
    assert read(tmp_path, ROW | {"spaces": ""})["SPM12-2mm"].spaces == ()


def test_number_of_files_need_not_be_known(tmp_path):
    assert list(read(tmp_path, ROW | {"files_seen": ""})) == ["SPM12-2mm"]
    columns = [column for column in ROW if column != "files_seen"]
    assert list(read(tmp_path, ROW, columns=columns)) == ["SPM12-2mm"]


def test_order_of_the_table_is_kept(tmp_path):
    names = ["b-2mm", "a-2mm", "tvb-ukbb-2.5mm", "C"]
    assert list(read(tmp_path, *(ROW | {"grid": name} for name in names))) == names


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("grid", ""),
        ("grid", "SPM12 2mm"),
        ("grid", "SPM12_2mm"),
        ("grid", "a/b"),
        ("grid", ".."),
        ("grid", "-2mm"),
        ("grid", "2mm."),
        ("grid", "2mm--x"),
        ("grid", "ü"),
        ("grid", "a" * 65),
        ("shape", ""),
        ("shape", "79x95"),
        ("shape", "79x0x79"),
        ("zooms", ""),
        ("zooms", "2"),
        ("zooms", "2,2,2"),
        ("zooms", "2x0x2"),
        ("zooms", "0.0x2x2"),
        ("zooms", "2x2x-2"),
        ("zooms", "2x2xnan"),
        ("origin", "-78,-112"),
        ("origin", "-78x-112x-70"),
        ("spaces", "MNI152NLin6Asym, MNI152Lin"),
        ("spaces", "MNI152NLin6Asym,"),
        ("used_by", ""),
        ("used_by", "a\x01b"),
        ("files_seen", "-1"),
        ("files_seen", "many"),
    ],
)
def test_wrong_cell_is_named_with_line_column_and_expectation(tmp_path, column, cell):
    with pytest.raises(RegistryError) as failure:
        read(tmp_path, ROW, ROW | {"grid": "other"} | {column: cell})
    message = str(failure.value)
    assert f"line 3, column '{column}'" in message
    assert "expected: " in message


@pytest.mark.parametrize("name", ["SPM12-2mm", "spm12-2MM"])
def test_name_of_two_grids_is_refused_in_capitals_too(tmp_path, name):
    with pytest.raises(RegistryError, match=r"line 3, column 'grid'.*that line 2 has, too"):
        read(tmp_path, ROW, ROW | {"grid": name, "shape": "9x9x9"})


def test_misspelt_column_is_named_with_a_suggestion(tmp_path):
    columns = ["zoom" if column == "zooms" else column for column in ROW]
    with pytest.raises(RegistryError, match=r"line 1.*'zoom'; did you mean 'zooms'\?"):
        read(tmp_path, ROW | {"zoom": "2x2x2"}, columns=columns)


# --- The shipped table --------------------------------------------------------------------------


def test_shipped_grids_are_those_of_the_census_and_two_that_it_did_not_meet():
    rows = table_rows(REPO / "workflow" / "tables" / "grids.tsv")
    assert [row["grid"] for row in rows] == list(GRIDS)
    assert len(rows) == 26
    unseen = [row["grid"] for row in rows if not row["files_seen"]]
    assert unseen == ["LeadDBS-0.5mm", "SPM-1mm"]
    hcp = GRIDS["HCP-1.6mm"]
    assert (hcp.shape, hcp.zooms, hcp.origin) == ((113, 136, 113), (1.6,) * 3, (-89.2, -126, -72))


def test_shipped_names_are_fit_for_the_name_of_a_file():
    for name, grid in GRIDS.items():
        assert name == grid.name
        assert re.fullmatch(r"[A-Za-z0-9-]+-[0-9.]+mm", name)
        assert {float(re.search(r"-([0-9.]+)mm", name)[1])} == set(grid.zooms)


def test_no_grid_is_shipped_under_two_names():
    assert len({(grid.shape, grid.zooms, grid.origin) for grid in GRIDS.values()}) == len(GRIDS)


@pytest.mark.parametrize("row", shipped_rows(), ids=lambda row: row["space"] + row["resolution"])
def test_grid_of_every_registered_mask_is_known_with_its_space(row):
    mask = BRAIN_MASK_REGISTRY.get(f"{row['space']}_{row['resolution']}mm")
    known = [
        grid for grid in GRIDS.values() if (grid.shape, grid.origin) == (mask.shape, mask.origin)
    ]
    assert [set(grid.zooms) for grid in known] == [{mask.resolution}]
    assert mask.space in known[0].spaces


def test_five_spaces_share_a_grid():
    assert GRIDS["TemplateFlow-1mm"].spaces == (
        "MNI152NLin2009aAsym",
        "MNI152NLin2009aSym",
        "MNI152NLin2009cAsym",
        "MNI152NLin2009cSym",
        "MNI152NLin6Sym",
    )
