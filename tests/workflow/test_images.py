# SPDX-License-Identifier: MIT
"""Images that meet a mask: one verdict each, before an analysis; and the way onto the grid."""

import csv
import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from support import TINY_AFFINE, save_image, served_registry, write_table


def rows(path) -> dict[str, dict]:
    with path.open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file, delimiter="\t")}


def test_table_of_accepted_images(workflow, images):
    images("same", "las", accept=["identical", "reoriented"])
    workflow.succeed("checks/images.tsv")
    found = rows(workflow.folder / "checks" / "images.tsv")
    assert [found[n]["verdict"] for n in ("same", "las")] == ["identical", "reoriented"]
    for row in found.values():
        assert (row["voxels"], row["voxels_inside"], row["voxels_outside"]) == ("3", "3", "0")
        assert float(row["volume_ml"]) == pytest.approx(0.024)
        assert row["mask"] == "A_2mm"
    details = json.loads((workflow.folder / "checks" / "images.json").read_text())
    assert [each["id"] for each in details] == ["same", "las"]
    assert not (workflow.folder / "checks" / "images.rejected.tsv").exists()
    assert "Nothing to be done" in workflow.succeed("checks/images.tsv")


def test_every_rejected_image_is_named_and_the_whole_table_is_left(workflow, images):
    images("same", "las", "moved", "lost")
    printed = workflow.fail("checks/images.tsv")
    errors = [line for line in printed.splitlines() if line.startswith("ERROR")]
    for name, words in {
        "las": ["reoriented"],
        "moved": ["shifted", "x +2"],
        "lost": ["no_orientation"],
    }.items():
        line = next(line for line in errors if f"image {name} (lesions/{name}.nii.gz)" in line)
        assert [word for word in words if word not in line] == []
    assert "3 of 4 images are not accepted (las, moved, lost)" in printed
    # Once for all images, and nothing on the one that nothing of this helps.
    (to_fix,) = re.findall(r"\nTo fix:\n((?:- .*\n)+)", printed)
    assert to_fix.splitlines() == [
        "- use aligned/las.nii.gz: on the grid of the mask, with every value kept",
        "- if the images are in the spaces of their masks and your analysis goes by the affines of "
        "the images, set `accept: [identical, within_tolerance, reoriented, shifted]` in the "
        "configuration",
        "- if that is as it should be, take mostly_outside out of `refuse:` in the configuration",
    ]
    assert not (workflow.folder / "checks" / "images.tsv").exists()
    rejected = rows(workflow.folder / "checks" / "images.rejected.tsv")
    assert list(rejected) == ["same", "las", "moved", "lost"]
    assert rejected["same"]["verdict"] == "identical"

    images("same")
    workflow.succeed("checks/images.tsv")
    assert not (workflow.folder / "checks" / "images.rejected.tsv").exists()


def test_target_of_one_image(workflow, images):
    images("same", "moved")
    workflow.succeed("checks/same.json")
    details = json.loads((workflow.folder / "checks" / "same.json").read_text())
    assert details["verdict"] == "identical"
    printed = workflow.fail("checks/moved.json")
    assert "image moved (lesions/moved.nii.gz): shifted" in printed
    assert not (workflow.folder / "checks" / "moved.json").exists()
    assert (workflow.folder / "checks" / "moved.rejected.json").exists()


def test_aligned_by_reordering_axes(workflow, images, lesion):
    images("same", "las")
    workflow.succeed("aligned/same.nii.gz", "aligned/las.nii.gz")
    for name, method in {"same": "unchanged", "las": "axes reordered"}.items():
        image = nib.load(workflow.folder / "aligned" / f"{name}.nii.gz")
        assert np.array_equal(image.affine, TINY_AFFINE)
        assert np.array_equal(np.asarray(image.dataobj), lesion)
        assert image.get_data_dtype() == np.int16
        note = json.loads((workflow.folder / "aligned" / f"{name}.json").read_text())
        assert (note["Method"], note["Lossless"]) == (method, True)


def test_resampling_only_if_asked_for(workflow, images, lesion):
    images("moved")
    # Not by whole voxels: that would lose nothing.
    affine = TINY_AFFINE.copy()
    affine[0, 3] += 2.5
    save_image(workflow.folder / "lesions" / "moved.nii.gz", lesion, affine)
    printed = workflow.fail("aligned/moved.nii.gz")
    assert "shifted" in printed
    assert "`resample: nearest`" in printed
    images("moved", resample="nearest")
    workflow.succeed("aligned/moved.nii.gz")
    image = nib.load(workflow.folder / "aligned" / "moved.nii.gz")
    assert np.array_equal(image.affine, TINY_AFFINE)
    # Where it lies in the world: a voxel further to the right.
    assert np.array_equal(np.asarray(image.dataobj), np.roll(lesion, 1, axis=0))
    assert np.count_nonzero(lesion) == 3
    assert not lesion[-1].any()
    note = json.loads((workflow.folder / "aligned" / "moved.json").read_text())
    assert (note["Method"], note["Lossless"]) == ("nearest neighbour", False)


def test_image_that_is_off_by_whole_voxels_is_aligned_without_loss(workflow, images, lesion):
    images("moved")
    workflow.succeed("aligned/moved.nii.gz")
    image = nib.load(workflow.folder / "aligned" / "moved.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj), np.roll(lesion, 1, axis=0))
    note = json.loads((workflow.folder / "aligned" / "moved.json").read_text())
    assert (note["Method"], note["Lossless"]) == ("cropped and padded", True)


def test_damaged_image_is_not_aligned(workflow, images):
    """So large that its header is read before the damage is met."""
    images("same", resample="nearest")
    path = workflow.folder / "lesions" / "same.nii.gz"
    save_image(path, np.random.default_rng(1).random((60, 60, 60)))
    path.write_bytes(path.read_bytes()[:-9])
    assert nib.load(path).shape == (60, 60, 60)
    printed = workflow.fail("aligned/same.nii.gz")
    assert "image lesions/same.nii.gz: not_an_image: It cannot be read as an image" in printed
    assert "unexpected" not in printed
    assert not list((workflow.folder / "aligned").glob("*"))


@pytest.mark.parametrize("name", ["lost"])
def test_space_is_never_guessed(workflow, images, name):
    images(name, resample="nearest")
    assert "no_orientation" in workflow.fail(f"aligned/{name}.nii.gz")


def test_table_of_images_is_checked(workflow, images, tmp_path):
    images("same", aliases={"Other": "B"})
    table = tmp_path / "images.tsv"
    for lines, words in {
        "image\tmask\nx.nii.gz\tB_3mm\n": "no mask is registered for 'B_3mm'",
        "image\tmsk\nx.nii.gz\tA_2mm\n": "did you mean 'mask'?",
        "image\tmask\na/x.nii.gz\tA_2mm\nb/x.nii.gz\tA_2mm\n": "'x' is the id of two images",
        "image\tmask\timages\n": "unknown column 'images'",
        "image\tmask\nimages.nii.gz\tA_2mm\n": "'images' cannot be the name of files",
        "image\tmask\nx.rejected.nii.gz\tA_2mm\n": "'x.rejected' cannot be the name of files",
        "image\tmask\nB_2mm.nii.gz\tA_2mm\n": "line 2 (B_2mm.nii.gz): 'B_2mm' is the name of a",
        "image\tmask\tid\nx.nii.gz\tA_2mm\tOther_2mm\n": "'Other_2mm' is the name of a mask",
    }.items():
        table.write_text(lines)
        assert words in workflow.fail("checks/images.tsv", "--dry-run")
    workflow.config["images"] = None
    assert "config key 'images' is not set" in workflow.fail("checks/images.tsv", "--dry-run")


def test_adding_a_mask_to_the_registry_checks_nothing_again(workflow, images, tiny, tmp_path):
    images("same")
    workflow.succeed("checks/images.tsv", "aligned/same.nii.gz")
    more = [*tiny, tiny[0] | {"space": "C"}]
    workflow.config["registry"] = str(write_table(tmp_path / "more.tsv", more))
    assert workflow.jobs("checks/images.tsv", "aligned/same.nii.gz") == set()


def test_real_lesions_on_the_real_mask(workflow, server, real, tmp_path):
    registry = served_registry(server, real / "registered", tmp_path / "masks.tsv")
    lesions = sorted((real / "lesions").glob("sub-*.nii.gz"))
    table = write_table(
        tmp_path / "images.tsv",
        [{"image": str(path), "mask": "MNI152NLin6Asym_1mm"} for path in lesions],
        ["image", "mask"],
    )
    workflow.config = {
        "registry": str(registry),
        "mirrors": False,
        "images": str(table),
        "accept": ["reoriented"],
    }
    names = [path.name.removesuffix(".nii.gz") for path in lesions]
    workflow.succeed("checks/images.tsv", *(f"aligned/{name}.nii.gz" for name in names))
    found = list(rows(workflow.folder / "checks" / "images.tsv").values())
    assert [row["voxels"] for row in found] == ["14147", "11383", "7618"]
    assert [row["voxels_outside"] for row in found] == ["0", "0", "0"]
    mask = nib.load(workflow.mask("MNI152NLin6Asym_1mm"))

    def centre(image) -> np.ndarray:
        voxels = np.argwhere(np.asarray(image.dataobj) > 0)
        return nib.affines.apply_affine(image.affine, voxels.mean(axis=0))

    for name, lesion in zip(names, lesions, strict=True):
        aligned = nib.load(workflow.folder / "aligned" / f"{name}.nii.gz")
        assert np.array_equal(aligned.affine, mask.affine)
        assert aligned.shape == mask.shape
        assert np.abs(centre(aligned) - centre(nib.load(lesion))).max() < 0.01


def test_findings_reject_an_image_and_the_page_says_so(workflow, images, lesion):
    accept = ["identical", "reoriented", "shifted"]
    images("same", "las", "moved", accept=accept, refuse=["empty"])
    save_image(workflow.folder / "lesions" / "moved.nii.gz", lesion * np.int16(0))
    printed = workflow.fail("checks/images.tsv")
    assert "1 of 3 images are not accepted (moved); open qc/images.html" in printed
    assert (
        "image moved (lesions/moved.nii.gz): empty: It is empty, no value is above 0.5" in printed
    )
    rejected = rows(workflow.folder / "checks" / "images.rejected.tsv")
    assert {name: (row["accepted"], row["findings"]) for name, row in rejected.items()} == {
        # The tiny masks A and B are on one grid.
        "same": ("true", "duplicate,shared_grid"),
        "las": ("true", "duplicate,shared_grid"),
        "moved": ("false", "empty,shared_grid"),
    }
    page = (workflow.folder / "qc" / "images.html").read_text()
    assert (page.count(">accepted<"), page.count(">rejected<")) == (2, 1)
    workflow.config["refuse"] = []
    workflow.succeed("checks/images.tsv", "qc/images.html")
    page = (workflow.folder / "qc" / "images.html").read_text()
    assert page.count(">rejected<") == 0


def test_image_that_is_missing_or_new_is_noticed_after_a_good_run(workflow, images, lesion):
    """What was found before stands for the images of before."""
    images("same")
    workflow.succeed("checks/images.tsv", "qc/images.html")
    table = Path(workflow.config["images"])
    table.write_text(table.read_text() + "lesions/gone.nii.gz\tA_2mm\tgone\n")
    for target in ("checks/images.tsv", "qc/images.html"):
        assert "lesions/gone.nii.gz" in workflow.fail(target)
    save_image(workflow.folder / "lesions" / "gone.nii.gz", lesion * np.int16(0))
    assert "image gone (lesions/gone.nii.gz): empty" in workflow.fail("checks/images.tsv")


def test_images_by_a_pattern_in_the_configuration(workflow, images, lesion):
    images("same")
    workflow.config["images"] = {"image": "lesions/{id}.nii.gz", "mask": "A_2mm"}
    workflow.config["accept"] = ["identical", "reoriented", "shifted", "no_orientation"]
    workflow.config["refuse"] = ["empty"]
    workflow.succeed("checks/images.tsv")
    found = rows(workflow.folder / "checks" / "images.tsv")
    assert list(found) == ["las", "lost", "moved", "same"]
    assert "Nothing to be done" in workflow.succeed("checks/images.tsv")


@pytest.mark.parametrize(
    ("key", "value", "near"),
    [
        ("refuse", ["empy"], "did you mean empty"),
        ("accept", ["identicl"], "did you mean identical"),
    ],
)
def test_misspelt_codes_and_verdicts_are_named_with_the_known_ones(
    workflow, images, key, value, near
):
    images("same", **{key: value})
    printed = workflow.fail("--dry-run", "checks/images.tsv")
    assert f"config key '{key}' lists '{value[0]}'" in printed
    assert near in printed
    assert {"refuse": "not_finite, not_binary", "accept": "within_tolerance"}[key] in printed


def test_side_of_the_table_is_checked(workflow, images, tmp_path):
    images("same")
    table = write_table(
        tmp_path / "images.tsv",
        [{"image": "lesions/same.nii.gz", "mask": "A_2mm", "side": "right", "group": "patients"}],
        ["image", "mask", "side", "group"],
    )
    workflow.config["images"] = str(table)
    image = nib.load(workflow.folder / "lesions" / "same.nii.gz")
    x = nib.affines.apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj) > 0))[:, 0]
    assert (x < 0).sum() > (x > 0).sum()
    for target in ("checks/images.tsv", "checks/same.json"):
        printed = workflow.fail(target)
        assert f"Its side is given as right, but {(x < 0).sum()} of its voxels lie left" in printed
