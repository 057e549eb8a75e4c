# SPDX-License-Identifier: MIT
"""The Python interface is upstream's: load_brain_mask, mask_name, the registry."""

import subprocess
import sys
import venv

import nibabel as nib
import pytest
from support import REPO, sha256, shipped_rows

import brainmasks
from brainmasks import (
    BRAIN_MASK_REGISTRY,
    BrainMaskMetadata,
    InvalidMaskError,
    load_brain_mask,
    mask_name,
)


@pytest.fixture
def filled(cache, real):
    """Fill the cache with the registered files, as lacuna would."""
    cache.mkdir(parents=True)
    for path in (real / "registered").iterdir():
        (cache / path.name).write_bytes(path.read_bytes())
    return cache


@pytest.mark.parametrize("resolution", [2, 2.0])
def test_load_returns_a_verified_path_in_the_shared_cache(filled, resolution):
    path = load_brain_mask("MNI152NLin6Asym", resolution)
    assert path == filled / "MNI152NLin6Asym_2mm_desc-brain_mask.nii.gz"
    assert nib.load(path).shape == (91, 109, 91)


def test_load_serves_aliases(filled):
    said = "MNI152NLin2009bAsym_1mm: MNI152NLin2009cAsym_1mm is served under this name"
    with pytest.warns(UserWarning, match=f"^{said}$") as caught:
        path = load_brain_mask("MNI152NLin2009bAsym", 1)
    # Of the line that asked, and not of one in the package.
    assert [warning.filename for warning in caught] == [__file__]
    assert path.name == "MNI152NLin2009cAsym_1mm_desc-brain_mask.nii.gz"


def test_hit_writes_nothing(filled):
    before = sorted(filled.iterdir())
    load_brain_mask("MNI152NLin6Asym", 2)
    assert sorted(filled.iterdir()) == before


def test_unknown_mask_is_a_key_error_with_the_registered_names():
    with pytest.raises(KeyError) as caught:
        load_brain_mask("MNI152Nlin6Asym", 2)
    for row in shipped_rows():
        assert f"{row['space']}_{row['resolution']}mm" in str(caught.value)
    with pytest.raises(KeyError, match="MNI152NLin6Asym_2mm"):
        BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_3mm")


def test_mask_that_cannot_be_had_is_a_file_not_found_error(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(FileNotFoundError) as caught:
        load_brain_mask("MNI152NLin2009cAsym", 2)
    assert "MNI152NLin2009cAsym_2mm is not available from any source" in str(caught.value)


def test_mask_that_does_not_validate_is_a_value_error(filled, monkeypatch):
    """Reached only if the registry describes another grid than the file with its hash has."""
    from dataclasses import replace

    from brainmasks.masks import load

    mask = BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_2mm")
    wrong = brainmasks.registry.BrainMaskRegistry(
        [replace(mask, origin=(-91.0, -126.0, -72.0))], aliases={}
    )
    monkeypatch.setattr(load, "shipped_registry", lambda: wrong)
    with pytest.raises(ValueError, match="its affine is") as caught:
        load_brain_mask("MNI152NLin6Asym", 2)
    assert isinstance(caught.value, InvalidMaskError)
    assert load_brain_mask("MNI152NLin6Asym", 2, validate=False).exists()


def test_registry_has_upstreams_methods():
    assert len(BRAIN_MASK_REGISTRY) == len(list(BRAIN_MASK_REGISTRY)) >= 4
    assert "MNI152NLin6Asym_2mm" in BRAIN_MASK_REGISTRY
    assert list(BRAIN_MASK_REGISTRY.keys()) == list(BRAIN_MASK_REGISTRY)
    found = BRAIN_MASK_REGISTRY.list(resolution=1.0, space="MNI152NLin6Asym", desc="brain")
    assert found == [BRAIN_MASK_REGISTRY["MNI152NLin6Asym_1mm"]]
    assert BRAIN_MASK_REGISTRY.list(space=None, source=None) == BRAIN_MASK_REGISTRY.list()
    mask = BRAIN_MASK_REGISTRY.get(mask_name("MNI152NLin6Asym", 2.0))
    assert isinstance(mask, BrainMaskMetadata)
    assert (mask.space, mask.resolution, mask.source) == ("MNI152NLin6Asym", 2.0, "templateflow")
    assert mask.url == "https://osf.io/nb7rt/download"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the package into an environment that sees this one's libraries; its Python."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False, system_site_packages=False)
    python = folder / "venv" / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", REPO],
        check=True,
    )
    site = subprocess.check_output(
        [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    (next((folder / "venv/lib").glob("python*/site-packages")) / "libraries.pth").write_text(site)
    return python


def test_pip_install_brings_package_and_tables(installed, filled, tmp_path):
    printed = subprocess.check_output(
        [
            installed,
            "-c",
            "import brainmasks; from brainmasks import *;"
            "print(brainmasks.__file__);"
            "print(brainmasks.load_brain_mask('MNI152NLin2009cAsym', 2));"
            "print(*BRAIN_MASK_REGISTRY.keys());"
            "print(*brainmasks.registry.shipped_grids())",
        ],
        text=True,
        cwd=tmp_path,
    ).splitlines()
    assert str(REPO) not in printed[0]
    assert sha256(printed[1]) == shipped_rows()[3]["sha256"]
    assert printed[2].split() == BRAIN_MASK_REGISTRY.keys()
    assert "SPM12-2mm" in printed[3].split()


def test_import_brings_nothing_heavy():
    code = (
        "import sys; sys.path.insert(0, 'scripts'); import brainmasks;"
        "print([m for m in ('numpy', 'nibabel', 'pandas', 'pooch', 'requests', 'snakemake')"
        " if m in sys.modules])"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=REPO)
    assert printed.strip() == "[]"
