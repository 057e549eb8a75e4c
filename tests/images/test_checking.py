# SPDX-License-Identifier: MIT
"""Images checked against published masks: what is accepted, and what is left of the rest."""

import csv
import json

import numpy as np
import pytest
from image_cases import COUNT, DATA, MASK, REGISTRY, VOXELS, moved
from support import save_image

from brainmasks import InvalidMaskError
from brainmasks.images import (
    OntoGrid,
    Policy,
    PublishedMask,
    accept_images,
    check_image,
    check_images,
)

ACCEPT = ("identical", "within_tolerance")
REFUSE = ("empty", "not_binary")
ONTO_GRID = OntoGrid("aligned/{id}.nii.gz", None)
# What helps with the shifted image of these tests.
TO_FIX = """
To fix:
- if in the space of the mask, use aligned/moved.nii.gz: on the grid of the mask, with every \
value kept; an error if voxels that are not 0 would be cut off
- if the images are in the spaces of their masks and your analysis goes by the affines of the \
images, set `accept: [identical, within_tolerance, shifted]` in the configuration"""


@pytest.fixture
def images(tmp_path) -> dict[str, dict[str, str]]:
    """Return three images by id: the mask itself, one shifted, one that is missing."""
    paths = {
        "same": save_image(tmp_path / "same.nii.gz", VOXELS),
        "moved": save_image(tmp_path / "moved.nii.gz", VOXELS, moved(x=2)),
        "gone": str(tmp_path / "gone.nii.gz"),
    }
    return {name: {"image": path, "mask": "A_2mm"} for name, path in paths.items()}


@pytest.fixture
def mask(tmp_path) -> PublishedMask:
    path = tmp_path / "A_2mm.nii.gz"
    path.write_bytes(DATA)
    return PublishedMask(path, MASK)


class Checks:
    """A folder for what is found."""

    def __init__(self, folder, mask) -> None:
        self.folder, self.mask = folder, mask
        self.table, self.details = folder / "images.tsv", folder / "images.json"
        self.rejected = folder / "images.rejected.tsv"
        self.page = folder / "images.html"

    def all(self, images, accept=ACCEPT, refuse=REFUSE, workers=1) -> None:
        found = self.folder.parent / "images.found.json"
        check_images(images, {"A_2mm": self.mask}, REGISTRY, 0.5, found, workers)
        policy = Policy(accept, refuse)
        accept_images(found, policy, ONTO_GRID, self.page, self.table, self.details)

    def one(self, name, entry, accept=ACCEPT, refuse=REFUSE) -> None:
        policy, path = Policy(accept, refuse), self.folder / f"{name}.json"
        check_image(name, entry, self.mask, REGISTRY, policy, ONTO_GRID, 0.5, path)

    @property
    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set()


@pytest.fixture
def checks(tmp_path, mask) -> Checks:
    return Checks(tmp_path / "checks", mask)


def rows(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def only(images, *names) -> dict:
    return {name: images[name] for name in names}


def test_accepted_images_are_listed_with_what_was_found(checks, images):
    checks.all(only(images, "same"))
    (row,) = rows(checks.table)
    detail = row.pop("detail")
    assert row == {
        "id": "same",
        "image": images["same"]["image"],
        "mask": "A_2mm",
        "accepted": "true",
        "verdict": "identical",
        "findings": "is_a_mask",
        "displacement_mm": "0.0",
        "voxels": str(COUNT),
        "volume_ml": row["volume_ml"],
        "voxels_inside": str(COUNT),
        "voxels_outside": "0",
        "inside_fraction": "1.0",
        "hemisphere": row["hemisphere"],
        "voxels_left": row["voxels_left"],
        "voxels_right": row["voxels_right"],
        "components": row["components"],
        "largest_component": row["largest_component"],
        "binary": "true",
        "equals_mask": "true",
    }
    assert float(row["volume_ml"]) == pytest.approx(COUNT * 8 / 1000)
    (described,) = json.loads(checks.details.read_text())
    (finding,) = described.pop("findings")
    assert finding["code"] == row.pop("findings")
    assert f"{described['detail']} {finding['detail']}" == detail
    for key in ("accepted", "binary", "equals_mask"):
        assert described.pop(key) is True
        assert row.pop(key) == "true"
    assert {key: str(described[key]) for key in row} == row
    assert described["axes"] == "RAS"
    assert checks.names == {"images.tsv", "images.json"}


def test_one_that_is_not_accepted_rejects_all_and_each_is_logged(checks, images, caplog):
    with pytest.raises(InvalidMaskError) as caught:
        checks.all(images)
    assert str(caught.value) == (
        f"2 of 3 images are not accepted (moved, gone); open {checks.page} to look at them, or see "
        f"the whole table, {checks.rejected}{TO_FIX}"
    )
    lines = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(lines) == 2
    assert lines[0].startswith(f"image moved ({images['moved']['image']}): shifted: It has the")
    assert lines[1].startswith(f"image gone ({images['gone']['image']}): not_an_image: It cannot")
    assert checks.names == {"images.rejected.tsv"}
    assert [row["id"] for row in rows(checks.rejected)] == ["same", "moved", "gone"]
    # What makes no sense for an image is n/a, and no empty cell.
    assert rows(checks.rejected)[2]["voxels"] == "n/a"


def test_rejected_table_is_removed_once_all_are_accepted(checks, images):
    with pytest.raises(InvalidMaskError):
        checks.all(images)
    checks.all(only(images, "same", "moved"), accept=(*ACCEPT, "shifted"))
    assert checks.names == {"images.tsv", "images.json"}
    assert [row["verdict"] for row in rows(checks.table)] == ["identical", "shifted"]


def test_image_that_cannot_be_read_is_rejected_whatever_is_accepted(checks, images):
    with pytest.raises(InvalidMaskError, match="1 of 1 images are not accepted"):
        checks.all(only(images, "gone"), accept=(*ACCEPT, "not_an_image"))


def test_several_workers_write_the_same_as_one(checks, images):
    images = only(images, "same", "moved")
    accept = (*ACCEPT, "shifted")
    checks.all(images, accept)
    before = checks.table.read_bytes(), checks.details.read_bytes()
    checks.all(images, accept, workers=3)
    assert (checks.table.read_bytes(), checks.details.read_bytes()) == before


def test_no_images_are_an_empty_table(checks):
    checks.all({})
    assert rows(checks.table) == []
    assert json.loads(checks.details.read_text()) == []


def test_one_image_that_is_accepted_has_its_details(checks, images):
    checks.one("same", images["same"])
    found = json.loads((checks.folder / "same.json").read_text())
    assert (found["id"], found["image"]) == ("same", images["same"]["image"])
    assert (found["verdict"], found["voxels_inside"]) == ("identical", COUNT)
    assert checks.names == {"same.json"}


def test_one_image_that_is_not_accepted_leaves_its_details_beside(checks, images):
    with pytest.raises(InvalidMaskError) as caught:
        checks.one("moved", images["moved"])
    rejected = checks.folder / "moved.rejected.json"
    assert str(caught.value).startswith(
        f"image moved ({images['moved']['image']}): shifted: It has"
    )
    assert str(caught.value).endswith(f"The details are in {rejected}{TO_FIX}")
    assert checks.names == {"moved.rejected.json"}
    assert json.loads(rejected.read_text())["shift_mm"] == [2.0, 0.0, 0.0]
    save_image(images["moved"]["image"], VOXELS)
    checks.one("moved", images["moved"])
    assert checks.names == {"moved.json"}


def test_damaged_mask_is_an_error_and_no_finding(checks, images, mask):
    mask.path.write_bytes(DATA[:-4])
    with pytest.raises(InvalidMaskError, match="is not the registered mask"):
        checks.one("same", images["same"])
    assert checks.names == set()


def test_image_of_other_values_is_told(checks, images):
    save_image(images["same"]["image"], np.where(VOXELS == 1, 2, 0).astype(np.int16))
    checks.one("same", images["same"], refuse=())
    found = json.loads((checks.folder / "same.json").read_text())
    assert (found["binary"], found["accepted"]) == (False, True)
    assert [each["code"] for each in found["findings"]] == ["not_binary", "is_a_mask"]
    with pytest.raises(InvalidMaskError, match=r"same.* not_binary: It is not binary: its"):
        checks.one("same", images["same"])
