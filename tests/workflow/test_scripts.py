# SPDX-License-Identifier: MIT
"""The script of each rule, given what Snakemake hands to it: which files it reads and writes."""

import gzip
import hashlib
import json
import runpy
from dataclasses import replace
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from bench import Bench
from image_cases import B2, DATA, FINE, MASK, REGISTRY, ROW, as_saved, image, moved, turned
from support import REPO

from brainmasks.registry import BrainMaskMetadata

pytestmark = pytest.mark.usefixtures("package_log")

SCRIPTS = sorted(path.stem for path in (REPO / "scripts").glob("*.py"))


class Files(list):
    """Files by number and by name, as Snakemake hands them over."""

    def __init__(self, *files, **named) -> None:
        super().__init__([*map(str, files)])
        for name, value in named.items():
            shown = [str(each) for each in value] if isinstance(value, list) else str(value)
            setattr(self, name, shown)
            self += shown if isinstance(value, list) else [shown]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs" / "job.log"


@pytest.fixture
def run(log):
    """Return a function that runs a script's job."""

    def run(script: str, output=(), wildcards=None, threads=1, params=None, **named) -> None:
        main = runpy.run_path(str(REPO / "scripts" / f"{script}.py"))["main"]
        main(
            SimpleNamespace(
                input=Files(**named),
                output=Files(**output) if isinstance(output, dict) else Files(*output),
                params=SimpleNamespace(**(params or {})),
                wildcards=SimpleNamespace(**(wildcards or {})),
                log=Files(log),
                threads=threads,
            )
        )

    return run


def row_of(bench: Bench) -> dict:
    return bench.metadata.as_row()


def sources(bench: Bench, **changed) -> dict:
    return {
        "url": bench.row["url"],
        "folder": "",
        "cache_dir": str(bench.cache),
        "site_caches": [],
        "mirrors": [],
        "offline": False,
        "registered": bench.registered,
    } | changed


@pytest.fixture
def steps(run, bench):
    """Return a function that runs the script of a step of mask A."""
    files = {"mask": bench.raw, "origin": bench.origin}
    wildcards = {"mask": "A_2mm"}

    def step(name: str, **changed) -> None:
        row = row_of(bench)
        if name == "download":
            params = {"row": row, "sources": sources(bench)}
            run(name, output=files, wildcards=wildcards, params=params | changed)
        elif name == "checksum":
            output = {"checksum": bench.checksum}
            run(name, output, wildcards, params={"row": row} | changed, **files)
        else:
            output = {"mask": bench.mask, "sidecar": bench.sidecar}
            params = {"row": row, "quiet": True, "code": "7"} | changed
            run(name, output, wildcards, params=params, **files, checksum=bench.checksum)

    return step


@pytest.fixture
def published(steps, bench) -> Bench:
    """Return a working folder in which the three scripts have made mask A."""
    for name in ("download", "checksum", "validate"):
        steps(name)
    return bench


def test_every_script_runs_as_a_job_of_snakemake_alone():
    """Imported by anything else, none of them does a thing."""
    assert len(SCRIPTS) == 15
    for name in SCRIPTS:
        found = runpy.run_path(str(REPO / "scripts" / f"{name}.py"))
        assert callable(found["main"]), name


def test_three_steps_publish_a_mask(published, steps, log, capsys):
    published.assert_published()
    assert capsys.readouterr().err == ""
    steps("validate", quiet=False)
    size = len(published.data)
    assert capsys.readouterr().err == f"A_2mm: verified, from 127.0.0.1, {size} bytes\n"
    assert json.loads(published.sidecar.read_text())["ChecksVersion"] == "7"
    assert "checks passed" in log.read_text()
    assert published.checksum.read_text() == f"{published.row['sha256']}  {published.raw}\n"


@pytest.mark.parametrize("grid", ["known", "of an image"])
def test_mask_is_put_on_a_grid(run, published, log, grid):
    row = {"grid": "G", "shape": "6x7x5", "zooms": "2x2x2", "origin": "-6,-8,-4", "spaces": ""}
    path, sidecar = published.folder / "grid.nii.gz", published.folder / "grid.json"
    image_of = {"image": published.mask} if grid == "of an image" else {"image": []}
    run(
        "put_on_grid",
        output={"mask": path, "sidecar": sidecar},
        wildcards={"mask": "A_2mm", "grid": "G"},
        params={
            "row": row_of(published),
            "grid": row if grid == "known" else {},
            "quiet": False,
            "code": "7",
        },
        mask=published.mask,
        sidecar=published.sidecar,
        **image_of,
    )
    note = json.loads(sidecar.read_text())
    assert (note["Grid"]["Name"], note["Checks"]["volume"]) == ("G", "passed")
    assert ("Image" in note["Grid"]) == (grid == "of an image")
    assert np.array_equal(nib.load(path).dataobj, nib.load(published.mask).dataobj)
    assert "13 checks passed, not run: voxel_count, content_sha256" in log.read_text()


def failed(capsys, log) -> str:
    """Return the one error that a failed job shows; its log ends with it."""
    text = capsys.readouterr().err
    assert log.read_text().endswith(text.replace(": ", " ", 1))
    assert text.count("ERROR") == 1
    return text


def test_download_that_fails_ends_with_status_1_and_a_line(steps, bench, capsys, log):
    with pytest.raises(SystemExit) as end:
        steps("download", sources=sources(bench, offline=True))
    assert end.value.code == 1
    assert "ERROR: mask A_2mm is not available from any source" in failed(capsys, log)
    assert bench.server.asked == []
    assert not bench.raw.exists()


@pytest.mark.parametrize("name", ["checksum", "validate"])
def test_step_on_a_damaged_file_ends_with_status_1_and_a_line(steps, bench, capsys, log, name):
    steps("download")
    bench.raw.write_bytes(bench.data[:-5])
    with pytest.raises(SystemExit) as end:
        steps(name)
    assert end.value.code == 1
    assert f"ERROR: mask A_2mm: {bench.raw} " in failed(capsys, log)
    assert not bench.checksum.exists()
    assert not bench.mask.exists()


def test_step_without_its_input_names_subject_and_file(steps, bench, capsys, log):
    with pytest.raises(SystemExit) as end:
        steps("checksum")
    assert end.value.code == 1
    line = failed(capsys, log)
    assert line.startswith(f"ERROR: mask A_2mm: {bench.raw} is unusable (No such file")


def test_defect_of_a_script_leaves_its_traceback_in_the_log(steps, bench, capsys, log):
    with pytest.raises(SystemExit) as end:
        steps("download", row={"space": "A"})
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ERROR: mask A_2mm: unexpected ")
    assert line.endswith(f"the traceback is in {log}")
    assert "Traceback (most recent call last)" in log.read_text()


def every(bench: Bench, **changed) -> dict:
    return {"masks": [{"row": row_of(bench)} | sources(bench, **changed)], "quiet": True}


def test_prefetch_fills_the_cache_and_nothing_else(run, bench, log):
    run("prefetch", params=every(bench))
    assert bench.entry.read_bytes() == bench.data
    assert not bench.raw.parent.exists()
    assert f"in the cache, {bench.entry}" in log.read_text()


def test_prefetch_that_misses_one_ends_with_status_1(run, bench, capsys):
    with pytest.raises(SystemExit) as end:
        run("prefetch", params=every(bench, offline=True))
    assert end.value.code == 1
    assert "1 of 1 masks are not in the cache: A_2mm" in capsys.readouterr().err


def test_status_prints_where_each_mask_is(run, bench, capsys):
    run("status", params=every(bench) | {"asked": ["A_2mm"]})
    assert "A_2mm  nowhere" in capsys.readouterr().out
    run("prefetch", params=every(bench))
    run("status", params=every(bench, offline=True) | {"asked": ["A_2mm"]})
    (_, line) = capsys.readouterr().out.splitlines()
    assert line.split()[:4] == ["A_2mm", "cache", "yes", str(len(bench.data))]
    assert line.endswith(str(bench.entry))
    assert len(bench.server.asked) == 1


# --- images ------------------------------------------------------------------------------------

REGISTERED = [REGISTRY.get(name).as_row() for name in REGISTRY]
ONTO_GRID = {"aligned": "aligned/{id}.nii.gz", "resample": None}
ROW_A = BrainMaskMetadata.from_row(ROW).as_row()


@pytest.fixture
def mask(tmp_path):
    """Return the path of the published mask A of the image cases."""
    path = tmp_path / "masks" / "A_2mm.nii.gz"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


@pytest.fixture
def images(tmp_path) -> dict[str, dict[str, str]]:
    """Return images by id: one on the grid, one stored LAS, one moved by two voxels."""
    made = {"same": image(), "las": turned(signs=(-1, 1, 1)), "moved.v2": image(affine=moved(x=4))}
    found = {}
    for name, make in made.items():
        (tmp_path / name).mkdir()
        found[name] = {"image": str(make(tmp_path / name)), "mask": "A_2mm"}
    return found


def checked(tmp_path, mask, images, threads=1) -> dict:
    return {
        "output": [tmp_path / "images.found.json"],
        "params": {
            "images": images,
            "rows": {"A_2mm": ROW_A},
            "registered": REGISTERED,
            "aliases": {},
            "min_inside": 0.5,
        },
        "threads": threads,
        "images": [entry["image"] for entry in images.values()],
        "masks": [mask],
    }


def accepted(tmp_path, accept, refuse=()) -> dict:
    return {
        "output": {"table": tmp_path / "images.tsv", "details": tmp_path / "images.json"},
        "params": {"accept": accept, "refuse": refuse, "onto_grid": ONTO_GRID},
        "found": tmp_path / "images.found.json",
        "page": tmp_path / "images.html",
    }


@pytest.mark.parametrize("threads", [1, 2])
def test_images_are_checked_and_tabulated(run, mask, images, tmp_path, threads):
    accept = ["identical", "reoriented", "shifted"]
    run("check_images", **checked(tmp_path, mask, images, threads))
    run("accept_images", **accepted(tmp_path, accept))
    found = json.loads((tmp_path / "images.json").read_text())
    assert {each["id"]: each["verdict"] for each in found} == dict(zip(images, accept, strict=True))
    page = tmp_path / "images.html"
    params = {"accept": accept[:2], "refuse": [], "interactive": False}
    run("tabulate_images", [page], params=params, found=tmp_path / "images.found.json")
    assert [name for name in images if name not in page.read_text()] == []
    assert (page.read_text().count(">accepted<"), page.read_text().count(">rejected<")) == (2, 1)


def test_finding_that_is_refused_ends_with_status_1(run, mask, images, tmp_path, capsys):
    run("check_images", **checked(tmp_path, mask, {"same": images["same"]}))
    run("accept_images", **accepted(tmp_path, ["identical"]))
    with pytest.raises(SystemExit) as end:
        run("accept_images", **accepted(tmp_path, ["identical"], ["is_a_mask"]))
    assert end.value.code == 1
    assert "is_a_mask: Its voxels are those of the brain mask A_2mm" in capsys.readouterr().err


def test_images_are_each_checked_against_their_own_mask(run, mask, tmp_path):
    """The masks are handed over in the order of their names."""
    other = tmp_path / "masks" / "B_2mm.nii.gz"
    made = nib.Nifti1Image(np.ones(B2.shape, np.uint8), B2.affine)
    other.write_bytes(gzip.compress(made.to_bytes()))
    content = hashlib.sha256(made.to_bytes()).hexdigest()
    mask_b = replace(B2, content_sha256=content, voxels=int(np.prod(B2.shape)))
    (tmp_path / "b").mkdir()
    images = {
        "of B": {"image": str(as_saved(nib.load(other))(tmp_path / "b")), "mask": "B_2mm"},
        "of A": {"image": str(image()(tmp_path)), "mask": "A_2mm"},
    }
    job = checked(tmp_path, mask, images)
    job["params"]["rows"] = {"B_2mm": mask_b.as_row(), "A_2mm": ROW_A}
    run(
        "check_images",
        **job | {"masks": [mask, other]},
    )
    found = json.loads((tmp_path / "images.found.json").read_text())
    assert [(each["id"], each["equals_mask"]) for each in found] == [("of B", True), ("of A", True)]


def test_rejected_images_end_with_status_1_and_a_line_each(run, mask, images, tmp_path, capsys):
    run("check_images", **checked(tmp_path, mask, images))
    with pytest.raises(SystemExit) as end:
        run("accept_images", **accepted(tmp_path, ["identical"]))
    assert end.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        "ERROR: image las",
        "ERROR: image moved.v2",
        "ERROR: 2 of 3 images are not accepted",
        "To fix:",
        "- use aligned/las.nii.gz: on the grid of the mask, with every value kept",
        "- if in the space of the mask, use aligned/moved.v2.nii.gz: on the grid of the mask, with "
        "every value kept; an error if voxels that are not 0 would be cut off",
        "- if the images are in the spaces of their masks and your analysis goes by the affines of "
        "the images, set `accept: [identical, reoriented, shifted]` in the configuration",
    ]
    assert not (tmp_path / "images.tsv").exists()


@pytest.fixture
def one(run, mask, images, tmp_path):
    """Return a function that runs the script of one image."""

    def one(script: str, name: str, output: dict, **params) -> None:
        given = {"row": ROW_A, "registered": REGISTERED, "aliases": {}} | params
        files = {"image": images[name]["image"], "mask": mask}
        run(script, output, {"id": name}, params=given, **files)

    return one


def policy(*accept: str) -> dict:
    refused = {"refuse": ("empty",), "min_inside": 0.5, "onto_grid": ONTO_GRID}
    return {"accept": accept} | refused


def test_one_image_is_checked(one, images, tmp_path, capsys):
    for name, accept in (("same", "identical"), ("moved.v2", "shifted")):
        output = {"details": tmp_path / f"{name}.json"}
        one("check_image", name, output, entry=images[name], **policy(accept))
        assert json.loads(output["details"].read_text())["verdict"] == accept
    output = {"details": tmp_path / "las.json"}
    with pytest.raises(SystemExit) as end:
        one("check_image", "las", output, entry=images["las"], **policy("identical"))
    assert end.value.code == 1
    printed = capsys.readouterr().err
    assert "ERROR: image las (" in printed
    assert "\n- use aligned/las.nii.gz: on the grid of the mask" in printed
    assert (tmp_path / "las.rejected.json").exists()


@pytest.mark.parametrize(
    ("name", "resample", "method"),
    [
        ("same", None, "unchanged"),
        ("las", None, "axes reordered"),
        ("moved.v2", "nearest", "nearest neighbour"),
        ("moved.v2", "overlap", "overlap"),
    ],
)
def test_one_image_is_aligned(one, images, tmp_path, name, resample, method):
    output = {"image": tmp_path / "x.nii.gz", "sidecar": tmp_path / "x.json"}
    one("align_image", name, output, resample=resample)
    source, found = nib.load(images[name]["image"]), nib.load(output["image"])
    assert np.array_equal(found.affine, MASK.affine)
    expected = np.asarray(nib.as_closest_canonical(source).dataobj)
    if resample:
        expected = np.concatenate([np.zeros_like(expected[:2]), expected[:-2]])
    assert np.array_equal(np.asarray(found.dataobj), expected)
    assert json.loads(output["sidecar"].read_text())["Method"] == method


def test_image_that_is_not_aligned_ends_with_status_1(one, tmp_path, capsys, log):
    output = {"image": tmp_path / "x.nii.gz", "sidecar": tmp_path / "x.json"}
    with pytest.raises(SystemExit) as end:
        one("align_image", "moved.v2", output, resample=None)
    assert end.value.code == 1
    assert "resample: nearest" in failed(capsys, log)
    assert not output["image"].exists()
    assert not output["sidecar"].exists()


# --- pictures ----------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n"


@pytest.fixture
def drawing(tmp_path, monkeypatch):
    """Let matplotlib keep its fonts where the test may write."""
    pytest.importorskip("matplotlib", reason="requirements-qc.txt is not installed")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))


def test_mask_is_drawn_and_tabulated(run, published, drawing, tmp_path):
    picture, page = tmp_path / "A_2mm.png", tmp_path / "masks.html"
    files = {"mask": published.mask, "sidecar": published.sidecar}
    run("draw_mask", [picture], {"mask": "A_2mm"}, params={"row": row_of(published)}, **files)
    assert picture.read_bytes().startswith(PNG)
    run(
        "tabulate_masks", [page], params={"rows": [row_of(published)]}, sidecars=[published.sidecar]
    )
    assert "A_2mm" in page.read_text()
    assert published.row["sha256"] in page.read_text()


@pytest.mark.parametrize("threads", [1, 2])
def test_images_are_drawn_each_in_its_file(run, mask, images, drawing, tmp_path, threads):
    pictures = [tmp_path / "qc" / f"{name}.png" for name in images]
    run("check_images", **checked(tmp_path, mask, images))
    run(
        "draw_images",
        pictures,
        threads=threads,
        params={
            "rows": {"A_2mm": ROW_A},
            "accept": ["identical"],
            "refuse": [],
            "backgrounds": {},
            "installed": False,
        },
        masks=[mask],
        found=tmp_path / "images.found.json",
        backgrounds=[],
    )
    drawn = [path.read_bytes() for path in pictures]
    assert [data[:6] for data in drawn] == [PNG] * 3
    assert len(set(drawn)) == 3


def test_finer_grid_of_the_registry_is_named(one, images, tmp_path, capsys):
    """All that is registered reaches the job, not its mask alone."""
    nib.save(nib.Nifti1Image(np.ones(FINE.shape, np.uint8), FINE.affine), images["same"]["image"])
    output = {"details": tmp_path / "same.json"}
    with pytest.raises(SystemExit):
        one("check_image", "same", output, entry=images["same"], **policy("identical"))
    assert "other_resolution: It lies on the 1 mm grid" in capsys.readouterr().err
