"""Each script, run in process with what Snakemake would hand it."""

import importlib.util
import json
from types import SimpleNamespace

import pytest
from image_cases import MASK as IMAGE_MASK
from support import REPO, save_image

pytestmark = pytest.mark.usefixtures("package_log")


def run(script: str, bench, wildcards=None, **parts) -> None:
    """Run a script in the folder of a bench; `input`, `output` and `params` are mappings."""
    path = REPO / "scripts" / f"{script}.py"
    spec = importlib.util.spec_from_file_location(f"script_{script}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parts = {
        name: SimpleNamespace(**part) if isinstance(part, dict) else part
        for name, part in parts.items()
    }
    log = bench.folder / "logs" / f"{script}.log"
    wildcards = SimpleNamespace(**(wildcards or {}))
    module.main(SimpleNamespace(log=[str(log)], wildcards=wildcards, threads=1, **parts))
    assert log.is_file()


def sources(bench, **changed) -> dict:
    return {
        "url": bench.row["url"],
        "cache_dir": str(bench.cache),
        "site_caches": [],
        "mirrors": [],
        "offline": False,
        "registered": bench.registered,
    } | changed


def row(bench) -> dict:
    return bench.metadata.as_row()


@pytest.fixture
def made(bench):
    """Return a folder in which the three scripts have made the mask."""
    asked = {"mask": "A_2mm"}
    fetched = {"mask": str(bench.raw), "origin": str(bench.origin)}
    params = {"row": row(bench), "sources": sources(bench)}
    run("download", bench, asked, params=params, output=fetched)
    output = {"checksum": str(bench.checksum)}
    run("checksum", bench, asked, params={"row": row(bench)}, input=fetched, output=output)
    params = {"row": row(bench), "code": "0"}
    output = {"mask": str(bench.mask), "sidecar": str(bench.sidecar)}
    run("validate", bench, asked, params=params, input=fetched, output=output)
    return bench


@pytest.fixture
def image(made) -> str:
    """Return an image on the mask's grid: the mask itself."""
    voxels = np_voxels(made)
    return save_image(made.folder / "image.nii.gz", voxels, IMAGE_MASK.affine)


def np_voxels(made):
    import nibabel as nib
    import numpy as np

    return np.asarray(nib.load(made.mask).dataobj)


def test_three_scripts_make_a_mask(made):
    made.assert_published()
    assert made.checksum.read_text().split()[0] == made.row["sha256"]
    assert json.loads(made.sidecar.read_text())["ChecksVersion"] == "0"


def test_expected_failure_ends_a_script_with_status_1(bench, capsys):
    params = {"row": row(bench), "sources": sources(bench, offline=True)}
    with pytest.raises(SystemExit) as caught:
        run(
            "download",
            bench,
            {"mask": "A_2mm"},
            params=params,
            output={"mask": str(bench.raw), "origin": str(bench.origin)},
        )
    assert caught.value.code == 1
    printed = capsys.readouterr().err
    assert printed.startswith("ERROR: mask A_2mm is not available from any source")
    assert "Traceback" not in printed
    assert bench.server.asked == []
    assert not bench.raw.exists()


def test_prefetch_and_status(bench, capsys):
    params = {"masks": [{"row": row(bench), **sources(bench)}]}
    run("status", bench, params=params)
    assert "would come from" in capsys.readouterr().out
    run("prefetch", bench, params=params)
    assert bench.entry.read_bytes() == bench.data
    run("status", bench, params=params)
    assert str(bench.entry) in capsys.readouterr().out


def test_image_is_checked_and_aligned(made, image):
    by_id = {"id": "x"}
    registered = {"row": row(made), "registered": [row(made)]}
    entry = {"image": image, "mask": "A_2mm"}
    details = made.folder / "checks" / "x.json"
    run(
        "check_image",
        made,
        by_id,
        params=registered | {"entry": entry, "accept": ["identical"]},
        input={"mask": str(made.mask)},
        output={"details": str(details)},
    )
    assert json.loads(details.read_text())["equals_mask"] is True
    aligned = made.folder / "aligned" / "x.nii.gz"
    note = made.folder / "aligned" / "x.json"
    run(
        "align_image",
        made,
        by_id,
        params=registered | {"resample": None},
        input={"image": image},
        output={"image": str(aligned), "sidecar": str(note)},
    )
    assert json.loads(note.read_text())["Method"] == "unchanged"
    assert aligned.is_file()


def test_images_are_checked_drawn_and_tabulated(made, image):
    rows = {"rows": {"A_2mm": row(made)}, "registered": [row(made)]}
    table, details = made.folder / "images.tsv", made.folder / "images.json"
    run(
        "check_images",
        made,
        params=rows | {"images": {"x": {"image": image, "mask": "A_2mm"}}, "accept": ["identical"]},
        input={"masks": [str(made.mask)]},
        output={"table": str(table), "details": str(details)},
    )
    assert table.read_text().splitlines()[1].startswith(f"x\t{image}\tA_2mm\tidentical")
    page, picture = made.folder / "images.html", made.folder / "x.png"
    run("tabulate_images", made, input={"details": str(details)}, output=[str(page)])
    assert "identical" in page.read_text()
    run(
        "draw_images",
        made,
        params=rows,
        input={"masks": [str(made.mask)], "images": [image]},
        output=[str(picture)],
    )
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_mask_is_drawn_and_tabulated(made):
    picture, page = made.folder / "A_2mm.png", made.folder / "masks.html"
    run(
        "draw_mask",
        made,
        {"mask": "A_2mm"},
        params={"row": row(made)},
        input={"mask": str(made.mask), "sidecar": str(made.sidecar)},
        output=[str(picture)],
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    run(
        "tabulate_masks",
        made,
        params={"rows": [row(made)]},
        input={"sidecars": [str(made.sidecar)]},
        output=[str(page)],
    )
    assert "A_2mm" in page.read_text()
