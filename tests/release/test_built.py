# SPDX-License-Identifier: MIT
"""What is in the files of a release."""

import email
import json
import tarfile
import zipfile

from support import REPO, tracked


def test_wheel_has_the_package_with_every_table_and_schema_and_nothing_else(built):
    with zipfile.ZipFile(built("*.whl")) as wheel:
        packed = {name: wheel.read(name) for name in wheel.namelist()}
    expected = {path.removeprefix("scripts/"): path for path in tracked("scripts/brainmasks")}
    shipped = tracked(":(glob)config/*.tsv", "config/*.yaml", "workflow/schemas")
    # Not what is below, from which tables are made.
    shipped += tracked(":(glob)workflow/tables/*.tsv", "workflow/tables/SHA256SUMS")
    expected |= {f"brainmasks/shipped/{path}": path for path in shipped}
    assert "brainmasks/py.typed" in expected
    assert {name for name in packed if ".dist-info/" not in name} == set(expected)
    assert [
        name for name, path in expected.items() if packed[name] != (REPO / path).read_bytes()
    ] == []


def test_wheel_states_version_licence_and_command(built, version):
    with zipfile.ZipFile(built("*.whl")) as wheel:
        about = {name.partition(".dist-info/")[2]: name for name in wheel.namelist()}
        metadata = email.message_from_bytes(wheel.read(about["METADATA"]))
        commands = wheel.read(about["entry_points.txt"]).decode()
        licence = wheel.read(about["licenses/LICENSE"])
    assert (metadata["Name"], metadata["Version"]) == ("brainmasks", version)
    assert metadata["License-Expression"] == "MIT"
    assert licence == (REPO / "LICENSE").read_bytes()
    assert commands.splitlines() == ["[console_scripts]", "brainmasks = brainmasks.cli:main"]


def test_source_distribution_is_the_repository(built):
    """With the tests and the workflow, so that whoever packs it can try it."""
    with tarfile.open(built("*.tar.gz")) as source:
        names = [each.name.partition("/")[2] for each in source.getmembers() if each.isfile()]
    made = {name for name in names if "egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    assert sorted(set(names) - made) == sorted(tracked())


def test_crate_has_all_that_is_tracked_and_describes_the_workflow(built, version):
    """Scripts and environments, too, without which no rule can be run."""
    with zipfile.ZipFile(built("*.crate.zip")) as crate:
        names = [name for name in crate.namelist() if not name.endswith("/")]
        described = json.loads(crate.read("ro-crate-metadata.json"))["@graph"]
        changed = [path for path in tracked() if crate.read(path) != (REPO / path).read_bytes()]
    assert sorted(names) == sorted(["ro-crate-metadata.json", *tracked()])
    assert changed == []
    entities = {each["@id"]: each for each in described}
    profiles = [each["@id"] for each in entities["ro-crate-metadata.json"]["conformsTo"]]
    assert "https://w3id.org/workflowhub/workflow-ro-crate/1.0" in profiles
    assert entities["./"]["mainEntity"] == {"@id": "workflow/Snakefile"}
    parts = {part["@id"] for part in entities["./"]["hasPart"]}
    assert {"workflow/", "workflow/rules/", "scripts/", "envs/", "config/", "profiles/"} <= parts
    assert [part for part in parts if not (REPO / part).exists()] == []
    workflow = entities["workflow/Snakefile"]
    assert "ComputationalWorkflow" in workflow["@type"]
    assert workflow["version"] == version
    assert workflow["license"] == {"@id": "https://spdx.org/licenses/MIT"}
