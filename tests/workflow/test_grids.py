# SPDX-License-Identifier: MIT
"""Masks on other grids, in runs: asked for, refused, regenerated, as a module."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest
from support import (
    REPO,
    TINY_AFFINE,
    Workflow,
    module,
    rule_all,
    save_image,
    served_registry,
    sha256,
    shipped_rows,
    tiny_mask,
    write_table,
)

# Of the tiny masks, which reach from -7 to 5, from -9 to 5 and from -5 to 5 mm: half their voxels.
FINE = {"grid": "fine-1mm", "shape": "14x16x12", "zooms": "1x1x1", "origin": "-7.5,-9.5,-5.5"}
FLAT = {"grid": "flat", "shape": "8x16x5", "zooms": "2x1x2", "origin": "-8,-9.5,-4"}
ELSEWHERE = FINE | {"grid": "elsewhere", "spaces": "C,Other"}
FAR = FINE | {"grid": "far", "origin": "200,0,0"}
NAME = "A_2mm_grid-fine-1mm"


@pytest.fixture
def grids(workflow, tiny) -> Workflow:
    """Return a workflow that knows the tiny masks, and grids for them."""
    workflow.config |= {
        "extra_grids": [FINE, FLAT, ELSEWHERE, FAR],
        "masks": [NAME],
        "aliases": {"Alias": "A"},
    }
    return workflow


def files(workflow, name: str = NAME) -> list[bytes]:
    return [
        (workflow.folder / "masks" / f"{name}.{end}").read_bytes() for end in ("nii.gz", "json")
    ]


def test_mask_is_put_on_a_grid_and_nothing_is_to_be_done_then(grids, tiny):
    printed = grids.succeed()
    size = grids.mask(NAME).stat().st_size
    assert f"\n{NAME}: checked, made from A_2mm, {size} bytes\n" in printed
    image = nib.load(grids.mask(NAME))
    whole = nib.load(grids.mask("A_2mm"))
    assert (image.shape, image.affine[:3, 3].tolist()) == ((14, 16, 12), [-7.5, -9.5, -5.5])
    # Each voxel of 2 mm is eight of 1 mm; around them is a rim of voxels with nothing in them.
    eight = np.asanyarray(whole.dataobj).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    assert np.array_equal(np.asanyarray(image.dataobj), np.pad(eight, 1))
    note = grids.sidecar(NAME)
    assert note["SourceContentSHA256"] == tiny[0]["content_sha256"]
    assert note["Sources"] == ["masks/A_2mm.nii.gz"]
    assert (note["VolumeBeforeML"], note["CutOffML"]) == (note["VolumeAfterML"], 0)
    assert grids.jobs() == set()
    log = (grids.folder / "logs/masks" / f"{NAME}.log").read_text()
    assert "13 checks passed, not run: voxel_count, content_sha256" in log


def test_two_runs_give_the_same_bytes(grids):
    grids.succeed()
    before = files(grids)
    shutil.rmtree(grids.folder / "masks")
    grids.succeed()
    assert files(grids) == before


def test_grids_may_stand_in_a_table_with_columns_of_its_own(grids, tmp_path):
    grids.config["masks"] = []
    row = FLAT | {"used_by": "", "scanner": "7T"}
    grids.config["extra_grids"] = str(write_table(tmp_path / "own.tsv", [row], tuple(row)))
    grids.succeed("masks/B_2mm_grid-flat.nii.gz")
    assert grids.sidecar("B_2mm_grid-flat")["Resolution"] == "2x1x2 mm"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ([FINE | {"grid": "FSL-3MM"}], "is the name of another grid, too, in the shipped workflow"),
        ([FINE, FINE], "entry 2: 'fine-1mm' is the name of another grid, too, in config key"),
        ([FINE | {"origin": 3}], "`origin` is 3, which is no text; quote it"),
        ([FINE | {"zooms": "1x1"}], "column 'zooms' is '1x1'; expected: the edges of a voxel"),
        ([FINE | {"space": "A"}], "unknown column 'space'; did you mean 'spaces'?"),
        ([{"grid": "x"}], "missing columns 'shape', 'zooms', 'origin'"),
        ("none.tsv", "none.tsv does not exist"),
        (3, "config key 'extra_grids' is 3; expected: the path of a table of grids, or a list"),
    ],
)
def test_wrong_grid_of_the_configuration_is_named(grids, extra, words):
    grids.config["extra_grids"] = extra
    printed = grids.fail("--dry-run")
    assert words in printed


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("A_2mm_grid-fine-2mm", "none of that name; did you mean fine-1mm"),
        ("AA_2mm_grid-fine-1mm", "no mask is registered for 'AA_2mm'; did you mean A_2mm"),
        ("A_2mm_grid-elsewhere", "its space is A, and that grid is known to be one of C, Other."),
        ("A_2mm_grid-FSL-2mm", "known to be one of MNI152NLin6Asym."),
    ],
)
def test_grid_that_is_refused_ends_the_plan_with_a_reason(grids, name, words):
    printed = grids.fail(f"masks/{name}.nii.gz")
    assert words in printed
    assert "MissingRuleException" not in printed
    grids.config["masks"] = [name]
    printed = grids.fail("--dry-run")
    assert "config key 'masks': " in printed
    assert words in printed
    assert not (grids.folder / "masks").exists()


def test_grid_that_does_not_reach_the_brain_is_an_error_of_one_line(grids):
    printed = grids.fail("masks/A_2mm_grid-far.nii.gz")
    (error,) = [line for line in printed.splitlines() if line.startswith("ERROR")]
    assert error.startswith("ERROR: nothing of mask A_2mm is left on the grid far: that grid does")
    assert not list((grids.folder / "masks").glob("*grid*"))


def test_alias_is_served(grids):
    grids.succeed("masks/Alias_2mm_grid-fine-1mm.json")
    note = grids.sidecar("Alias_2mm_grid-fine-1mm")
    assert (note["SpaceRequested"], note["SpaceServed"]) == ("Alias", "A")


# --- What changed since -------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["another mask", "cut off", "sidecar edited", "sidecar gone"])
def test_damaged_or_edited_output_is_regenerated(grids, how):
    grids.succeed()
    before = files(grids)
    path, sidecar = grids.mask(NAME), grids.folder / "masks" / f"{NAME}.json"
    if how == "another mask":
        path.write_bytes(grids.mask("A_2mm").read_bytes())
    elif how == "cut off":
        path.write_bytes(path.read_bytes()[:-1])
    elif how == "sidecar edited":
        sidecar.write_text(json.dumps(grids.sidecar(NAME) | {"Voxels": 1}))
    else:
        sidecar.unlink()
    looked = grids.succeed("--dry-run", "--rerun-triggers", "mtime")
    assert "put_on_grid" in looked
    grids.succeed("--rerun-triggers", "mtime")
    assert files(grids) == before
    assert grids.jobs() == set()


def test_damaged_parent_is_regenerated_and_the_mask_on_the_grid_stays_right(grids, tiny):
    grids.succeed()
    before = files(grids)
    grids.mask("A_2mm").write_bytes(tiny_mask("A", seed=9)[0])
    grids.succeed()
    assert sha256(grids.mask("A_2mm")) == tiny[0]["sha256"]
    assert files(grids) == before


def test_other_voxels_of_the_mask_or_another_grid_make_it_again(grids, tiny, server, tmp_path):
    grids.succeed(f"masks/{NAME}.nii.gz", "masks/B_2mm_grid-flat.nii.gz")
    data, row = tiny_mask("A", seed=5)
    server.files["/new.nii.gz"] = data
    rows = [row | {"url": f"{server.url}/new.nii.gz"}, tiny[1]]
    grids.config["registry"] = str(write_table(tmp_path / "masks.tsv", rows))
    grids.succeed(f"masks/{NAME}.nii.gz", "--rerun-triggers", "mtime")
    assert grids.sidecar(NAME)["SourceContentSHA256"] == row["content_sha256"]
    # A grid more is nothing to those that are there; other numbers under its name are.
    more = FINE | {"grid": "more"}
    grids.config["extra_grids"] = [more, FINE, FLAT]
    assert grids.jobs(f"masks/{NAME}.nii.gz", "masks/B_2mm_grid-flat.nii.gz") == set()
    grids.config["extra_grids"] = [FINE, FLAT | {"origin": "-8,-10.5,-4"}]
    targets = [f"masks/{NAME}.nii.gz", "masks/B_2mm_grid-flat.nii.gz", "--rerun-triggers", "mtime"]
    assert grids.jobs(*targets) == {"put_on_grid:B_2mm,"}


# --- The grid of an image -----------------------------------------------------------------------


@pytest.fixture
def las(grids, lesion) -> Workflow:
    """List an image that is stored LAS, with a mask of the space A."""
    affine = TINY_AFFINE.copy()
    affine[0] = [-2, 0, 0, 4]
    (grids.folder / "lesions").mkdir()
    save_image(grids.folder / "lesions" / "sub-01_las.nii.gz", lesion[::-1], affine)
    grids.config["images"] = {"image": "lesions/{id}.nii.gz", "mask": "A_2mm"}
    return grids


def test_mask_on_the_grid_of_an_image_is_used_index_for_index(las, lesion):
    las.succeed("masks/A_2mm_grid-sub-01_las.nii.gz")
    image = nib.load(las.folder / "lesions" / "sub-01_las.nii.gz")
    mask = nib.load(las.mask("A_2mm_grid-sub-01_las"))
    assert mask.shape == image.shape
    assert np.array_equal(mask.affine, image.affine)
    whole = np.asanyarray(nib.load(las.mask("A_2mm")).dataobj)
    assert np.array_equal(np.asanyarray(mask.dataobj), whole[::-1])
    # All three voxels of the lesion are inside.
    assert np.asanyarray(mask.dataobj)[np.asanyarray(image.dataobj) == 1].tolist() == [1, 1, 1]
    assert las.sidecar("A_2mm_grid-sub-01_las")["Grid"]["Orientation"] == "LAS"
    assert las.jobs("masks/A_2mm_grid-sub-01_las.nii.gz") == set()


def test_image_of_another_space_gives_no_grid(las):
    printed = las.fail("masks/B_2mm_grid-sub-01_las.nii.gz")
    assert "mask B_2mm is not put on the grid of image sub-01_las: its space is B, and" in printed


def test_oblique_image_gives_no_grid(las, lesion):
    affine = TINY_AFFINE.copy()
    affine[:2, :2] = 2 * np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
    save_image(las.folder / "lesions" / "sub-01_las.nii.gz", lesion, affine)
    printed = las.fail("masks/A_2mm_grid-sub-01_las.nii.gz")
    (error,) = [line for line in printed.splitlines() if line.startswith("ERROR")]
    assert "it is oblique, its axes do not lie along the world's" in error


# --- Beside the rest ----------------------------------------------------------------------------


def test_picture_and_table_of_masks_on_grids(las):
    las.config["masks"] = [NAME, "A_2mm", "Alias_2mm_grid-sub-01_las"]
    las.config["accept"] = ["reoriented"]
    las.succeed("qc")
    names = {path.name for path in (las.folder / "qc").iterdir()}
    assert {f"{name}.png" for name in las.config["masks"]} <= names
    page = (las.folder / "qc" / "masks.html").read_text()
    assert "A_2mm_grid-fine-1mm" in page
    assert "put on this grid by overlap" in page
    assert las.sidecar(NAME)["SHA256"] in page


def test_prefetch_fetches_what_is_put_on_grids(grids, cache):
    grids.config["masks"] = [NAME, "A_2mm_grid-flat", "B_2mm"]
    grids.succeed("prefetch")
    names = sorted(path.name[:5] for path in cache.glob("*.nii.gz"))
    assert names == ["A_2mm", "B_2mm"]
    assert not (grids.folder / "masks").exists()


@pytest.fixture
def host(grids) -> Workflow:
    """Return a host with files and rules of its own below masks/, and names like those of ours."""
    grids.snakefile = None
    own = "rule own:\n    output: 'ext/masks/own_grid-x.nii.gz'\n    shell: 'echo own > {output}'"
    use = (
        f"rule use:\n    input: 'ext/masks/{NAME}.nii.gz', 'ext/masks/own_grid-x.nii.gz'\n"
        "    output: 'used.txt'\n    shell: 'ls {input} > {output}'"
    )
    taken = module("config['snakefile']", config="config", prefix="'ext'")
    (grids.folder / "Snakefile").write_text("\n\n".join([rule_all("used.txt"), own, use, taken]))
    grids.config["snakefile"] = str(REPO / "Snakefile")
    return grids


def test_as_a_module_with_a_prefix_beside_files_of_the_host(host):
    printed = host.succeed()
    assert "Exception" not in printed
    assert sorted(path.name for path in (host.folder / "ext/masks").glob("*_grid-*.nii.gz")) == [
        f"{NAME}.nii.gz",
        "own_grid-x.nii.gz",
    ]
    note = json.loads((host.folder / f"ext/masks/{NAME}.json").read_text())
    assert note["Sources"] == ["ext/masks/A_2mm.nii.gz"]
    assert not (host.folder / "masks").exists()
    assert "Nothing to be done" in host.succeed()


def test_misspelt_name_in_a_module_is_named_with_the_closest_one(host):
    printed = host.fail("ext/masks/A_2mm_grid-fine-2mm.nii.gz")
    assert "did you mean fine-1mm" in printed
    assert "did you mean A_2mm" in host.fail("ext/masks/AA_2mm_grid-fine-1mm.nii.gz")


def test_image_of_the_host_is_not_below_the_prefix(las):
    """Its path is the host's, whatever the prefix of the module is."""
    las.snakefile = None
    target = "ext/masks/A_2mm_grid-sub-01_las.nii.gz"
    taken = module("config['snakefile']", config="config", prefix="'ext'")
    (las.folder / "Snakefile").write_text("\n\n".join([rule_all(target), taken]))
    las.config["snakefile"] = str(REPO / "Snakefile")
    las.succeed()
    assert (las.folder / target).is_file()


def test_real_masks_on_named_grids_in_one_run(workflow, server, real, tmp_path):
    registry = served_registry(server, real / "registered", tmp_path / "masks.tsv")
    names = ["MNI152NLin6Asym_2mm_grid-FSL-3mm", "MNI152NLin2009aAsym_2mm_grid-ICBM-2mm"]
    workflow.config = {"registry": str(registry), "mirrors": False, "masks": names}
    workflow.succeed()
    assert len(shipped_rows()) >= 4
    assert nib.load(workflow.mask(names[0])).shape == (61, 73, 61)
    assert workflow.sidecar(names[1])["SpaceServed"] == "MNI152NLin2009cAsym"
