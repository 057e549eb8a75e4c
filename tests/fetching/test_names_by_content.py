# SPDX-License-Identifier: MIT
"""One cache for many projects: files are told apart by what is registered, not by name alone."""

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import packed, tiny_mask

from brainmasks import BRAIN_MASK_REGISTRY, BrainMaskMetadata, FetchError
from brainmasks.fetching import Cache, Fetcher, Origin, Verified
from brainmasks.masks import path_of
from brainmasks.nifti import CONTENT_SHA256, MD5, SHA256
from brainmasks.registry import lacunas_masks

# Two projects register other files under one name.
OURS, OUR_ROW = tiny_mask("A")
THEIRS, THEIR_ROW = tiny_mask("A", seed=1)
ALSO = gzip.compress(gzip.decompress(OURS), 9, mtime=1)
OLD = "A_2mm_desc-brain_mask.nii.gz"


def metadata(row: dict, **cells: str) -> BrainMaskMetadata:
    return BrainMaskMetadata.from_row(row | cells)


def of_md5(data: bytes, **cells: str) -> BrainMaskMetadata:
    """Return a mask that is registered by the MD5 of its published file."""
    unknown = dict.fromkeys(("sha256", "content_sha256", "origin", "voxels"), "")
    digest = hashlib.md5(data).hexdigest()
    return metadata(OUR_ROW | unknown, md5=digest, bytes=str(len(data)), **cells)


PROJECTS = {
    "two hashes": (
        lambda url: metadata(OUR_ROW, url=f"{url}/ours"),
        lambda url: metadata(THEIR_ROW, url=f"{url}/theirs"),
    ),
    "a hash and an MD5": (
        lambda url: metadata(OUR_ROW, url=f"{url}/ours"),
        lambda url: of_md5(THEIRS, url=f"{url}/theirs"),
    ),
    "two MD5s": (
        lambda url: of_md5(OURS, url=f"{url}/ours"),
        lambda url: of_md5(THEIRS, url=f"{url}/theirs"),
    ),
    "an MD5 and the hash of the same mask": (
        lambda url: of_md5(ALSO, url=f"{url}/also"),
        lambda url: metadata(OUR_ROW, url=f"{url}/ours"),
    ),
}


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("projects", PROJECTS)
def test_two_projects_with_one_name_share_a_cache_and_neither_evicts_the_other(
    server, cache, caplog, projects, first
):
    server.files |= {"/ours": OURS, "/theirs": THEIRS, "/also": ALSO}
    masks = [project(server.url) for project in PROJECTS[projects]]
    assert masks[0].name == masks[1].name == "A_2mm"
    if first:
        masks.reverse()
    fetched = [Fetcher(mask, Cache(cache)).fetch().data for mask in masks]
    assert fetched[0] != fetched[1]
    asked = list(server.asked)
    assert len(asked) == 2
    before = {path: path.read_bytes() for path in cache.iterdir()}
    # By turns, with and without network: no server is asked again, and no file is touched.
    for offline in (False, True, True, False):
        for mask, data in zip(masks, fetched, strict=True):
            assert Fetcher(mask, Cache(cache), offline=offline).fetch().data == data
    assert server.asked == asked
    assert {path: path.read_bytes() for path in cache.iterdir()} == before
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


def test_offline_the_file_of_another_project_is_no_hit_and_stays(server, cache, caplog):
    server.files["/theirs"] = THEIRS
    theirs, ours = metadata(THEIR_ROW, url=f"{server.url}/theirs"), metadata(OUR_ROW)
    Fetcher(theirs, Cache(cache)).fetch()
    with pytest.raises(FetchError, match="not available from any source"):
        Fetcher(ours, Cache(cache), offline=True).fetch()
    assert Fetcher(theirs, Cache(cache), offline=True).fetch().data == THEIRS
    assert "quarantined" not in caplog.text


@pytest.mark.parametrize(
    ("mask", "verified_by", "name"),
    [
        (metadata(OUR_ROW), None, "A_2mm_desc-brain_mask_sha256-{sha256}.nii.gz"),
        (
            metadata(OUR_ROW),
            CONTENT_SHA256,
            "A_2mm_desc-brain_mask_sha256-{sha256}_recoded.nii.gz",
        ),
        (
            metadata(OUR_ROW, desc="brainDil", resolution="2x2x4", space="A_cohort-1"),
            None,
            "A_cohort-1_2x2x4mm_desc-brainDil_mask_sha256-{sha256}.nii.gz",
        ),
        (of_md5(ALSO), None, "A_2mm_desc-brain_mask_md5-{md5}.nii.gz"),
        (of_md5(ALSO, desc="GM"), MD5, "A_2mm_desc-GM_mask_md5-{md5}.nii.gz"),
    ],
)
def test_name_says_which_file_it_is(cache, mask, verified_by, name):
    expected = name.format(sha256=mask.sha256[:16], md5=mask.md5)
    assert Cache(cache).path(mask, verified_by) == cache / expected


@pytest.mark.parametrize("name", lacunas_masks())
def test_only_lacunas_own_files_have_lacunas_names(cache, name):
    mask = BRAIN_MASK_REGISTRY[name]
    lacunas = f"{name}_desc-brain_mask.nii.gz"
    assert Cache(cache).path(mask).name == lacunas
    assert Cache(cache).path(mask, CONTENT_SHA256).name == lacunas.replace(".nii", "_recoded.nii")
    # Another file of that name, and that file under another name.
    for other in (
        replace(mask, sha256="0" * 64),
        replace(mask, name=f"{name}_desc-x", desc="x"),
        replace(mask, name="B_1mm", space="B"),
        replace(mask, sha256="", md5="0" * 32),
    ):
        assert Cache(cache).path(other).name != lacunas
        assert ("_sha256-" in Cache(cache).path(other).name) == bool(other.sha256)


# --- The names of earlier versions ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "row", "data", "verified_by"),
    [
        (OLD, OUR_ROW, OURS, "sha256"),
        (
            OLD.replace(".nii", "_recoded.nii"),
            OUR_ROW | {"sha256": "0" * 64, "bytes": "99"},
            ALSO,
            "content_sha256",
        ),
    ],
    ids=["exact", "recoded"],
)
def test_file_under_its_old_name_is_used_offline_and_left_as_it_is(
    cache, name, row, data, verified_by
):
    cache.mkdir(parents=True)
    (cache / name).write_bytes(data)
    mask = metadata(row)
    found = Fetcher(mask, Cache(cache), offline=True).fetch()
    assert (found.data, found.origin.verified_by) == (data, verified_by)
    assert Cache(cache).has(mask)
    assert list(Cache(cache).look(mask)) == [(cache / name, None)]
    assert [path.name for path in cache.iterdir()] == [name]


def test_note_beside_a_file_under_its_old_name_still_says_where_it_came_from(cache):
    found = Fetcher(metadata(OUR_ROW, url=""), Cache(cache)).cache
    cache.mkdir(parents=True)
    (cache / OLD).write_bytes(OURS)
    note = '{"location": "https://host/a", "recoded": false, "verified_by": "sha256", "sha256": "'
    (cache / OLD.replace(".nii.gz", ".source.json")).write_text(f'{note}{OUR_ROW["sha256"]}"}}')
    assert found.load(metadata(OUR_ROW))[1].origin.location == "https://host/a"


@pytest.mark.parametrize("data", [THEIRS, b"", b"rotten", OURS[:-1]], ids=len)
def test_another_file_under_the_old_name_may_be_another_projects_and_stays(
    server, cache, caplog, data
):
    cache.mkdir(parents=True)
    (cache / OLD).write_bytes(data)
    server.files["/ours"] = OURS
    mask = metadata(OUR_ROW, url=f"{server.url}/ours")
    assert Fetcher(mask, Cache(cache)).fetch().data == OURS
    assert (cache / OLD).read_bytes() == data
    assert {path.suffix for path in cache.iterdir()} == {".gz", ".json"}
    assert len(list(cache.iterdir())) == 3
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


def test_mask_of_a_registered_md5_is_not_looked_for_under_old_names(cache):
    """Its file has a name of its own: an earlier version knew no such masks."""
    cache.mkdir(parents=True)
    (cache / OLD).write_bytes(ALSO)
    assert Cache(cache).load(of_md5(ALSO)) is None


# --- Files as they are published -----------------------------------------------------------------


def test_damaged_original_is_quarantined_told_and_fetched_again(server, cache, caplog):
    server.files["/also"] = ALSO
    mask = of_md5(ALSO, url=f"{server.url}/also")
    path = Cache(cache).path(mask)
    for damaged in (ALSO[:-1], OURS, ALSO[:-1] + b"\1"):
        Fetcher(mask, Cache(cache)).fetch()
        path.write_bytes(damaged)
        assert not Cache(cache).has(mask)
        assert Fetcher(mask, Cache(cache)).fetch().data == ALSO
        assert path.read_bytes() == ALSO
    assert caplog.text.count("quarantined as") == 3
    assert "expected" in caplog.text


@pytest.mark.parametrize("layout", ["{name}", "masks/{name}", "A_2mm.nii.gz", OLD, f"masks/{OLD}"])
def test_original_in_a_folder_of_the_site_is_used_offline(cache, tmp_path, layout):
    mask = of_md5(ALSO)
    path = tmp_path / layout.format(name=Cache(cache).path(mask).name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ALSO)
    found = Fetcher(mask, Cache(cache, [tmp_path]), offline=True).fetch()
    assert (found.data, found.origin.verified_by) == (ALSO, "md5")
    assert not cache.exists()


def not_the_mask(change) -> bytes:
    """Return a file of which the MD5 is registered by mistake."""
    import nibabel as nib

    image = nib.Nifti1Image.from_bytes(gzip.decompress(OURS))
    return packed(change(np.asarray(image.dataobj), image.affine).to_bytes())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda voxels, affine: (voxels[:5], affine), "its shape is (5, 7, 5), registered"),
        (lambda voxels, affine: (voxels * np.uint8(2), affine), "it is not binary: "),
        (lambda voxels, affine: (voxels * np.uint8(0), affine), "it is empty: no voxel is 1"),
        (lambda voxels, affine: (voxels, affine * [[3], [1], [1], [1]]), "its grid differs"),
        (
            lambda voxels, affine: (
                voxels,
                np.array([[1.6, -1.2, 0, 0], [1.2, 1.6, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]]),
            ),
            "its axes are oblique (rotated or sheared)",
        ),
    ],
    ids=["shape", "values", "empty", "voxel size", "oblique"],
)
def test_file_with_the_registered_md5_that_is_not_what_its_row_states_is_refused(
    server, cache, change, said
):
    import nibabel as nib

    data = not_the_mask(lambda *mask: nib.Nifti1Image(*change(*mask)))
    server.files["/a"] = data
    with pytest.raises(FetchError) as caught:
        Fetcher(of_md5(data, url=f"{server.url}/a"), Cache(cache)).fetch()
    words = "the file has the registered MD5, but does not hold what its row states: "
    assert f"{words}{said}" in str(caught.value)
    assert not list(cache.glob("*.nii.gz"))


@pytest.mark.parametrize(
    "form", ["files/a.nii.gz", "{}/files/a.nii.gz", "file://{}/files/a.nii.gz"]
)
@pytest.mark.parametrize("mask", [metadata(OUR_ROW), of_md5(ALSO)], ids=["SHA-256", "MD5"])
def test_registered_path_is_the_first_source_and_needs_no_network(
    tmp_path: Path, cache, form, mask
):
    folder = tmp_path / "tables"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "a.nii.gz").write_bytes(ALSO)
    url = form.format(folder)
    registered = replace(mask, url=url, folder=str(folder))
    fetcher = Fetcher(registered, Cache(cache), offline=True)
    assert [source.name for source in fetcher.sources()] == [f"registered file {url}"]
    found = fetcher.fetch()
    assert found.data == (ALSO if mask.md5 else OURS)
    assert (found.origin.location, found.origin.recoded) == (url, not mask.md5)
    (folder / "files" / "a.nii.gz").unlink()
    assert fetcher.fetch() == replace(found, origin=replace(found.origin, cached=True))


@pytest.mark.parametrize("of", [metadata, of_md5], ids=["sha256", "md5"])
@pytest.mark.parametrize("wrong", [-1, 1])
def test_right_file_survives_a_row_with_a_wrong_size(cache, caplog, of, wrong):
    """The row is that of one project, and the cache is everybody's."""
    right = of(OUR_ROW) if of is metadata else of(OURS)
    path = Cache(cache).store(
        right, Verified(OURS, Origin("x", False, MD5 if right.md5 else SHA256))
    )
    assert Cache(cache).load(replace(right, bytes=right.bytes + wrong)) is None
    assert "quarantined" not in caplog.text
    assert path.read_bytes() == OURS
    assert Cache(cache).has(right)


def test_mask_of_an_md5_is_loaded_from_a_cache_that_may_only_be_read(cache, monkeypatch):
    monkeypatch.setenv("BRAINMASKS_OFFLINE", "1")
    mask = of_md5(ALSO)
    Cache(cache).store(mask, Verified(ALSO, Origin("x", False, MD5)))
    before = sorted(cache.iterdir())

    def refuse(*_, **__) -> None:
        raise PermissionError

    monkeypatch.setattr("brainmasks.masks.load.publish", refuse)
    assert path_of(mask, cache_dir=cache).read_bytes() == OURS
    assert sorted(cache.iterdir()) == before


def test_file_of_another_project_is_left_alone_in_a_cache_that_is_a_site_too(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    (folder / OLD).write_bytes(THEIRS)
    for sites in ([tmp_path], [folder]):
        assert Cache(folder, sites).load(metadata(OUR_ROW)) is None
        assert [path.name for path in folder.iterdir()] == [OLD]
