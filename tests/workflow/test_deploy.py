# SPDX-License-Identifier: MIT
"""From nothing to a mask with snakedeploy: what it writes works, and what is added to it."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support import Workflow, entry_of, sha256, shipped_rows, tiny_mask

SNAKEDEPLOY = shutil.which("snakedeploy")
pytestmark = pytest.mark.skipif(
    not SNAKEDEPLOY, reason="no snakedeploy here: pip install -r requirements-ci.txt"
)


@pytest.fixture
def deployed(tmp_path, github) -> Workflow:
    """Return a folder into which snakedeploy has written."""
    folder = tmp_path / "deployed"
    subprocess.run(
        [SNAKEDEPLOY, "deploy-workflow", f"https://github.com/{github}", folder, "--tag", "v0"],
        check=True,
        capture_output=True,
    )
    workflow = Workflow(folder)
    workflow.snakefile = None
    return workflow


def add_row(table: Path, row: dict) -> None:
    """Add a row to a table, as a person does."""
    columns = table.read_text().splitlines()[0].split("\t")
    with table.open("a") as file:
        file.write("\t".join(row.get(column, "") for column in columns) + "\n")


def test_all_that_is_deployed_for_users_to_edit_has_an_effect(deployed):
    config = deployed.folder / "config"
    assert {path.name for path in config.iterdir()} == {"README.md", "config.yaml", "masks.tsv"}
    settings = yaml.safe_load((config / "config.yaml").read_text())
    assert settings["extra_registries"] == ["config/masks.tsv"]
    assert "validate:MNI152NLin6Asym_2mm" in deployed.jobs()


def test_added_row_becomes_a_mask(deployed, server):
    data, row = tiny_mask("MyLab")
    server.files["/mine.nii.gz"] = data
    add_row(deployed.folder / "config" / "masks.tsv", row | {"url": f"{server.url}/mine.nii.gz"})
    deployed.succeed("masks/MyLab_2mm.nii.gz")
    assert sha256(deployed.mask("MyLab_2mm")) == row["sha256"]
    assert "Nothing to be done" in deployed.succeed("masks/MyLab_2mm.nii.gz")


def test_shipped_mask_is_made_from_a_site_cache(deployed, real):
    row = next(row for row in shipped_rows() if row["resolution"] == "2")
    name = f"{row['space']}_2mm"
    assert entry_of(row, real / "registered").is_file()
    deployed.succeed("--config", f"site_caches=['{real}/registered']", "--", f"masks/{name}.nii.gz")
    assert sha256(deployed.mask(name)) == row["sha256"]


def test_row_that_is_not_that_of_this_version_any_more_is_told(deployed):
    """As in a copy of an earlier version."""
    table = deployed.folder / "config" / "masks.tsv"
    table.write_text(table.read_text().replace("\t228483\t", "\t228484\t"))
    printed = deployed.fail("masks/MNI152NLin6Asym_2mm.nii.gz")
    assert "MNI152NLin6Asym_2mm is registered twice" in printed
    assert "and in config/masks.tsv, line 3; remove one of the two" in printed
