# SPDX-License-Identifier: MIT
"""Whole runs with rows that are not plain: an MD5, a path, a name that another project has, too."""

import gzip
import hashlib
import json

import nibabel as nib
import numpy as np
import pytest
from support import (
    SCHEMA,
    Workflow,
    entry_of,
    packed,
    save_image,
    sha256,
    shipped_rows,
    tiny_mask,
    write_table,
)

ALL_COLUMNS = list(SCHEMA["properties"])
EMPTY = dict.fromkeys(ALL_COLUMNS, "")
UNKNOWN = dict.fromkeys(("sha256", "content_sha256", "origin", "voxels"), "")


def of_md5(row: dict, data: bytes) -> dict:
    """Return a row that states the MD5 of a published file."""
    return row | UNKNOWN | {"md5": hashlib.md5(data).hexdigest(), "bytes": str(len(data))}


def stored_las(data: bytes) -> bytes:
    """Return a mask as FSL stores it, in float64."""
    image = nib.Nifti1Image.from_bytes(gzip.decompress(data))
    voxels = np.asarray(image.dataobj).astype(np.float64)
    other = nib.Nifti1Image(voxels, image.affine).as_reoriented([[0, -1], [1, 1], [2, 1]])
    return packed(other.to_bytes())


def configure(workflow: Workflow, *rows: dict, **config) -> None:
    """Register rows, and ask for their masks."""
    table = write_table(workflow.folder.parent / f"{workflow.folder.name}.tsv", rows, ALL_COLUMNS)
    workflow.config = {
        "registry": str(table),
        "mirrors": False,
        "masks": [f"{row['space']}_{row['resolution']}mm" for row in rows],
        **config,
    }


@pytest.fixture
def published(workflow, server):
    """Register a tiny mask by the MD5 of its published file; return mask, file and row."""
    data, row = tiny_mask("A")
    original = stored_las(data)
    server.files["/A.nii.gz"] = original
    row = EMPTY | of_md5(row, original) | {"url": f"{server.url}/A.nii.gz"}
    configure(workflow, row)
    return data, original, row


# --- Real files ----------------------------------------------------------------------------------

PUBLISHED = {
    "01": ("1", "5ef11991a77ad081690bc4e272ecc9153bd35e60952641468aed7fb6d8a9a064"),
    "02": ("2", "9ec2c641c1e2d1b7a94a57e779197874bfedba4c6dbc55b092f5fbf12c750fb9"),
}


def test_real_published_files_become_the_registered_masks(workflow, server, real, cache):
    space = "MNI152NLin2009cAsym"
    rows, originals = [], {}
    for res, (resolution, _) in PUBLISHED.items():
        path = real / "encodings" / f"tpl-{space}_res-{res}_desc-brain_mask.nii.gz"
        originals[res] = server.files[f"/{res}"] = path.read_bytes()
        (shipped,) = (
            row
            for row in shipped_rows()
            if (row["space"], row["resolution"]) == (space, resolution)
        )
        row = of_md5(EMPTY | shipped, originals[res])
        rows.append(row | {"url": f"{server.url}/{res}"})
    configure(workflow, *rows)
    workflow.succeed()
    for row, (res, (resolution, digest)) in zip(rows, PUBLISHED.items(), strict=True):
        name = f"{space}_{resolution}mm"
        assert sha256(workflow.mask(name)) == digest
        described = workflow.sidecar(name)
        assert (described["VerifiedBy"], described["SHA256"]) == ("md5", digest)
        assert described["RegisteredMD5"] == row["md5"]
        fetched = workflow.folder / "resources" / "masks" / f"{name}.nii.gz"
        assert fetched.read_bytes() == entry_of(row, cache).read_bytes() == originals[res]
    assert workflow.jobs() == set()
    assert sorted(server.asked) == ["/01", "/02"]


@pytest.mark.parametrize(
    "file",
    [
        "MNI152_T1_2mm_brain_mask",
        "MNI152_T1_2mm_brain_mask_float64",
        "tpl-MNI152NLin2009cAsym_res-02_desc-brain_mask",
    ],
    ids=["FSL's, LAS", "float64", "0 and 255"],
)
def test_real_encoding_behind_the_registered_url_is_published_as_registered(
    workflow, server, real, file
):
    space = "MNI152NLin2009cAsym" if "2009" in file else "MNI152NLin6Asym"
    (row,) = (row for row in shipped_rows() if (row["space"], row["resolution"]) == (space, "2"))
    server.files["/mask"] = (real / "encodings" / f"{file}.nii.gz").read_bytes()
    configure(workflow, EMPTY | row | {"url": f"{server.url}/mask"})
    workflow.succeed()
    assert sha256(workflow.mask(f"{space}_2mm")) == row["sha256"]
    described = workflow.sidecar(f"{space}_2mm")
    assert (described["Recoded"], described["VerifiedBy"]) == (True, "sha256")


# --- A registered MD5 ----------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["mask", "sidecar", "resources", "origin"])
def test_damaged_file_is_made_again_of_the_original_offline(
    workflow, server, published, cache, file
):
    data, original, _ = published
    workflow.succeed()
    fetched = workflow.folder / "resources" / "masks" / "A_2mm.nii.gz"
    path = {
        "mask": workflow.mask("A_2mm"),
        "sidecar": workflow.folder / "masks" / "A_2mm.json",
        "resources": fetched,
        "origin": fetched.with_name("A_2mm.origin.json"),
    }[file]
    right = path.read_bytes()
    path.write_bytes(right[:-7])
    server.files.clear()
    workflow.succeed(BRAINMASKS_OFFLINE=1)
    if file == "origin":
        # It says where the bytes came from this time, too.
        before, now = json.loads(right), json.loads(path.read_bytes())
        assert now.pop("digest") != before.pop("digest")
        assert now == before | {"cached": True}
    else:
        assert path.read_bytes() == right
    assert workflow.mask("A_2mm").read_bytes() == data
    assert fetched.read_bytes() == original
    assert workflow.jobs() == set()
    assert server.asked == ["/A.nii.gz"]


def test_served_file_that_changes_is_refused_and_the_good_one_stays(
    workflow, server, published, cache, tmp_path
):
    data, original, row = published
    workflow.succeed()
    server.files["/A.nii.gz"] = data  # the same mask, and not the file that is registered
    workflow.succeed("--forcerun", "download")
    assert workflow.mask("A_2mm").read_bytes() == data
    assert entry_of(row, cache).read_bytes() == original
    # Where nothing is cached, nothing is published either.
    other = Workflow(tmp_path / "other")
    other.folder.mkdir()
    other.config = workflow.config | {"cache_dir": str(tmp_path / "empty")}
    printed = other.fail()
    assert f"of MD5 {row['md5']}, found {len(data)} bytes of MD5" in printed
    assert not other.mask("A_2mm").exists()
    assert list((tmp_path / "empty").glob("*.nii.gz")) == []
    assert entry_of(row, cache).read_bytes() == original


def test_image_is_checked_and_aligned_on_a_mask_of_which_an_md5_is_registered(
    workflow, server, published, tmp_path
):
    data, _, _ = published
    voxels = np.asarray(nib.Nifti1Image.from_bytes(gzip.decompress(data)).dataobj)
    lesion = np.zeros(voxels.shape, np.int16)
    for index in np.argwhere(voxels == 1)[:3]:
        lesion[tuple(index)] = 1
    (workflow.folder / "lesions").mkdir()
    save_image(workflow.folder / "lesions" / "one.nii.gz", lesion)
    rows = [{"image": "lesions/one.nii.gz", "mask": "A_2mm", "id": "one"}]
    table = write_table(tmp_path / "images.tsv", rows, ["image", "mask", "id"])
    workflow.config |= {"images": str(table)}
    workflow.succeed("aligned/one.nii.gz", "checks/one.json", "checks/images.tsv")
    found = json.loads((workflow.folder / "checks" / "one.json").read_text())
    assert found["verdict"] == "identical"
    assert (found["voxels_inside"], found["voxels_outside"]) == (3, 0)
    aligned = nib.load(workflow.folder / "aligned" / "one.nii.gz")
    assert np.array_equal(np.asarray(aligned.dataobj), lesion)


# --- Wrong rows ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (UNKNOWN | {"md5": ""}, ["column 'sha256' is empty", "nothing unverified is ever fetched"]),
        ({"md5": "0" * 32}, ["column 'sha256' is", "column 'content_sha256' is"]),
    ],
    ids=["no hash at all", "an MD5 and a SHA-256"],
)
def test_row_with_no_hash_or_with_both_is_refused_before_anything_runs(
    workflow, server, cells, words
):
    data, row = tiny_mask("A")
    server.files["/A"] = data
    configure(workflow, EMPTY | row | {"url": f"{server.url}/A"} | cells)
    printed = workflow.fail()
    assert [word for word in words if word not in printed] == []
    assert server.asked == []


@pytest.mark.parametrize("published", [False, True], ids=["SHA-256", "MD5"])
def test_wrong_size_is_named_as_the_mistake(workflow, server, published):
    data, row = tiny_mask("A")
    if published:
        row = of_md5(row, data)
    server.files["/A"] = data
    configure(workflow, EMPTY | row | {"url": f"{server.url}/A", "bytes": str(len(data) + 1)})
    printed = " ".join(workflow.fail().split())
    assert f"has {len(data)} bytes, and its row states {len(data) + 1}" in printed
    assert "correct its column `bytes`" in printed
    assert not workflow.mask("A_2mm").exists()


# --- Paths, and names that others have -----------------------------------------------------------


def test_path_of_a_row_starts_from_its_table_and_needs_no_network(workflow, tmp_path):
    data, row = tiny_mask("A")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.nii.gz").write_bytes(stored_las(data))
    configure(workflow, EMPTY | row | {"url": "files/a.nii.gz"}, offline=True)
    workflow.succeed()
    assert workflow.mask("A_2mm").read_bytes() == data
    assert workflow.sidecar("A_2mm")["Sources"] == ["files/a.nii.gz"]
    assert workflow.jobs() == set()


def test_two_projects_share_a_cache_online_and_offline(workflow, server, tmp_path, cache):
    """Both register other files under one name."""
    projects, files = [workflow, Workflow(tmp_path / "other")], []
    projects[1].folder.mkdir()
    for number, project in enumerate(projects):
        data, row = tiny_mask("A", seed=number)
        files.append(data)
        server.files[f"/{number}"] = data
        configure(project, EMPTY | row | {"url": f"{server.url}/{number}"})
        project.succeed()
    before = {path: path.read_bytes() for path in cache.iterdir()}
    for project, data in zip(projects, files, strict=True):
        project.succeed("--forceall", BRAINMASKS_OFFLINE=1)
        project.succeed("--forceall")
        assert project.mask("A_2mm").read_bytes() == data
    assert {path: path.read_bytes() for path in cache.iterdir()} == before
    assert server.asked == ["/0", "/1"]
    assert "quarantined" not in "".join(
        path.read_text() for project in projects for path in project.folder.rglob("*.log")
    )


def test_mask_that_an_earlier_version_cached_is_used_offline(workflow, cache):
    data, row = tiny_mask("A")
    cache.mkdir(parents=True)
    old = cache / "A_2mm_desc-brain_mask.nii.gz"
    old.write_bytes(data)
    configure(workflow, EMPTY | row | {"url": "https://example.org/A"}, offline=True)
    workflow.succeed()
    assert workflow.mask("A_2mm").read_bytes() == data
    assert list(cache.iterdir()) == [old]
