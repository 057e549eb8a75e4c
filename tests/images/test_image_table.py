# SPDX-License-Identifier: MIT
"""The table of images: which rows are taken, and which are refused with what to do."""

import pytest
from image_cases import REGISTRY
from support import REPO, write_table

from brainmasks import RegistryError, UnknownMaskError
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
    with pytest.raises(RegistryError, match=f"line 2: '{name}' is the name of a mask, and qc/"):
        read(tmp_path, ("x.nii.gz", "A_2mm", name))


def test_two_images_of_one_id_are_refused_with_both_lines(tmp_path):
    other = r"line 4: 'x' is the id of two images, the other one in .*images\.tsv, line 2"
    with pytest.raises(RegistryError, match=other):
        read(tmp_path, ("a/x.nii.gz", "A_2mm"), ("y.nii", "A_2mm"), ("b/x.nii", "A_1mm"))


def test_unknown_mask_is_named_with_its_line_and_the_nearest(tmp_path):
    with pytest.raises(UnknownMaskError, match=r"line 3, column 'mask': .*did you mean A_2mm"):
        read(tmp_path, ("x.nii", "A_2mm"), ("y.nii", "a_2mm"))
