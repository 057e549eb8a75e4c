# SPDX-License-Identifier: MIT
"""The table of images: which rows are taken, and which are refused with what to do."""

import re

import pytest
from image_cases import REGISTRY
from support import REPO, write_table

from brainmasks import BRAIN_MASK_REGISTRY, RegistryError, UnknownMaskError
from brainmasks.images import read_images

SCHEMA = REPO / "workflow" / "schemas" / "images.schema.json"


def read(folder, *rows: tuple[str, ...]) -> dict:
    """Read a table of rows (image, mask, and id if there is one)."""
    columns = ["image", "mask", "id"][: len(rows[0])]
    cells = [dict(zip(columns, row, strict=True)) for row in rows]
    table = write_table(folder / "images.tsv", cells, columns)
    return read_images(str(table), SCHEMA, REGISTRY)


def test_images_are_by_id_in_their_order(tmp_path):
    assert read(
        tmp_path, ("x/b.nii.gz", "A_2mm", "second"), ("x/a.nii.gz", "Alias_2mm", "first")
    ) == {
        "second": {"image": "x/b.nii.gz", "mask": "A_2mm"},
        "first": {"image": "x/a.nii.gz", "mask": "Alias_2mm"},
    }
    assert list(read(tmp_path, ("b.nii", "A_2mm"), ("a.nii", "A_2mm"))) == ["b", "a"]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("x/sub-01.nii.gz", "sub-01"),
        ("sub-01.nii", "sub-01"),
        ("sub-01.NII.GZ", "sub-01"),
        ("sub-01.img", "sub-01"),
        ("sub-01.hdr", "sub-01"),
        ("sub-01.mgz", "sub-01"),
        ("a.b+c_d.nii.gz", "a.b+c_d"),
        ("nii.gz.nii.gz", "nii.gz"),
    ],
)
def test_id_is_the_name_of_the_file_without_its_ending(tmp_path, image, name):
    assert list(read(tmp_path, (image, "A_2mm"))) == [name]


@pytest.mark.parametrize("name", ["images", "x.rejected", "-x", ".x", "a b", "ü", "x/y"])
def test_id_that_cannot_name_files_is_refused_with_its_line(tmp_path, name):
    with pytest.raises(RegistryError) as caught:
        read(tmp_path, ("x.nii.gz", "A_2mm", "good"), ("y.nii.gz", "A_2mm", name))
    assert str(caught.value).startswith(f"{tmp_path / 'images.tsv'}, line 3")
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["A_2mm", "B_1mm", "Alias_2mm"])
def test_id_that_names_a_mask_is_refused(tmp_path, name):
    with pytest.raises(RegistryError, match=rf"line 2 \(x\.nii\.gz\): '{name}' is the name of a"):
        read(tmp_path, ("x.nii.gz", "A_2mm", name))


def test_two_images_of_one_id_are_refused_with_both_lines(tmp_path):
    other = r"line 4: 'x' is the id of two images, the other one in .*images\.tsv, line 2"
    with pytest.raises(RegistryError, match=other):
        read(tmp_path, ("a/x.nii.gz", "A_2mm"), ("y.nii", "A_2mm"), ("b/x.nii", "A_1mm"))


def test_unknown_mask_is_named_with_its_line_and_the_nearest(tmp_path):
    with pytest.raises(UnknownMaskError, match=r"line 3, column 'mask': .*did you mean A_2mm"):
        read(tmp_path, ("x.nii", "A_2mm"), ("y.nii", "a_2mm"))


# --- Rows in the configuration, and patterns ----------------------------------------------------


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Make some files in the working folder."""
    for name in ("lesions/sub-02.nii.gz", "lesions/sub-01.nii.gz", "lesions/._sub-01.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def of_config(images) -> dict:
    return read_images(images, SCHEMA, REGISTRY)


def test_rows_may_stand_in_the_configuration():
    row = {"image": "x/a.nii.gz", "mask": "A_2mm"}
    assert of_config([row, row | {"id": "7", "side": "left", "subject": 1}]) == {
        "a": row,
        "7": row | {"side": "left"},
    }


def test_pattern_stands_for_all_files_of_such_names(files):
    expected = {
        name: {"image": f"lesions/{name}.nii.gz", "mask": "A_2mm"} for name in ("sub-01", "sub-02")
    }
    row = {"image": "lesions/{id}.nii.gz", "mask": "A_2mm"}
    assert of_config(row) == of_config([row]) == expected
    assert list(of_config(row)) == ["sub-01", "sub-02"]


def test_pattern_in_a_table_and_of_absolute_paths(files, tmp_path):
    pattern = f"{tmp_path}/lesions/sub-{{id}}.nii.gz"
    assert list(read(tmp_path, (pattern, "A_2mm"))) == ["01", "02"]


def test_id_that_stands_twice_in_a_pattern_is_one(files, tmp_path):
    (tmp_path / "lesions" / "a").mkdir()
    for name in ("a/a_mask.nii", "a/b_mask.nii"):
        (tmp_path / "lesions" / name).touch()
    assert list(of_config({"image": "lesions/{id}/{id}_mask.nii", "mask": "A_2mm"})) == ["a"]


@pytest.mark.parametrize(
    ("images", "error"),
    [
        ({"image": "none/{id}.nii", "mask": "A_2mm"}, "no file has a name like 'none/{id}.nii'"),
        (
            {"image": "lesions/{id}.nii.gz", "mask": "A_2mm", "id": "x"},
            "and so no `id` of its own",
        ),
        ({"image": "a.nii", "mask": "A_2mm", "id": 8}, "`id` is 8, which is no text; quote it"),
        ({"image": ["a.nii"], "mask": "A_2mm"}, "`image` is ['a.nii'], which is no text"),
        ({"image": "lesions/*.nii.gz", "mask": "A_2mm"}, "write {id} for what differs"),
        ({"image": "a.nii"}, "config key 'images': missing column 'mask'"),
        ([{"image": "a.nii", "mask": "A_2mm"}, {"mask": "A_2mm"}], "entry 2: missing column"),
        ({"image": "a.nii", "mask": "A_2mm", "Side": "left"}, "did you mean 'side'?"),
        (
            {"image": "a.nii", "mask": "A_2mm", "side": "up"},
            "column 'side' is 'up'; expected: left",
        ),
    ],
    ids=[
        "no file",
        "id and pattern",
        "number",
        "list",
        "asterisk",
        "no mask",
        "no image",
        "misspelt",
        "side",
    ],
)
def test_wrong_row_of_the_configuration_is_named(files, images, error):
    with pytest.raises(RegistryError, match=re.escape(error)):
        of_config(images)


@pytest.mark.parametrize(
    "column", ["subject", "group", "site", "sid", "pid", "age", "size", "lesion", "volume", ""]
)
def test_further_columns_are_ignored(tmp_path, column):
    table = write_table(
        tmp_path / "images.tsv",
        [{"image": "a.nii", column: "x", "mask": "A_2mm"}],
        ["image", column, "mask"],
    )
    assert of_config(str(table)) == {"a": {"image": "a.nii", "mask": "A_2mm"}}


@pytest.mark.parametrize(
    ("column", "meant"),
    [("ID", "id"), ("Id ", "id"), ("sides", "side"), ("Side", "side"), ("masks", "mask")],
)
def test_near_miss_of_a_column_is_named(tmp_path, column, meant):
    row = {"image": "a.nii", "mask": "A_2mm", column: "x"}
    table = write_table(tmp_path / "images.tsv", [row], list(row))
    with pytest.raises(RegistryError, match=f"unknown column '{column}'; did you mean '{meant}'"):
        of_config(str(table))


@pytest.mark.parametrize("name", ["images", "images.found", "images.accepted", "masks"])
def test_names_of_the_tables_are_no_ids(name):
    with pytest.raises(RegistryError, match="cannot be the name of files"):
        of_config([{"image": "a.nii", "mask": "A_2mm", "id": name}])


@pytest.mark.parametrize(
    "mask",
    [
        "MNI152NLin6Asym_2mm_desc-brainDil",
        "MNIPediatricAsym_cohort-2_1mm",
        "PNC_0.9375x0.9375x1mm",
        "MNI152NLin2009aAsym_1mm",
    ],
)
def test_every_name_of_a_shipped_mask_may_stand_in_the_table(mask):
    found = read_images([{"image": "a.nii.gz", "mask": mask}], SCHEMA, BRAIN_MASK_REGISTRY)
    assert found["a"]["mask"] == mask
