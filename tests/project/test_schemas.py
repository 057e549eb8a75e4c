# SPDX-License-Identifier: MIT
"""What the schemas say of keys and columns is what pages, defaults and the catalog say."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import REPO

SCHEMAS = sorted((REPO / "workflow" / "schemas").glob("*.schema.json"))
CONFIG = REPO / "workflow" / "schemas" / "config.schema.json"


def properties(schema: Path) -> dict[str, dict]:
    """Return what a schema says of each key or column."""
    return json.loads(schema.read_text(encoding="utf-8"))["properties"]


def make_tables(top: Path, *options: str) -> subprocess.CompletedProcess:
    """Run the script that makes the tables, in a copy of the repository."""
    return subprocess.run(
        [sys.executable, top / "docs" / "make_tables.py", *options],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path) -> Path:
    """Return a copy of all that the tables are made from."""
    for name in ("config", "docs", "workflow/schemas"):
        shutil.copytree(REPO / name, tmp_path / name)
    return tmp_path


def test_tables_of_the_page_are_those_of_the_schemas():
    done = make_tables(REPO, "--check")
    assert done.returncode == 0, done.stderr


def test_every_schema_has_one_table_on_the_page():
    page = (REPO / "config" / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^<!-- (\S+[.]json) -->$", page, flags=re.MULTILINE)) == [
        schema.name for schema in SCHEMAS
    ]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name.split(".")[0])
def test_another_text_in_a_schema_is_noticed_and_written(copy, schema):
    key = list(properties(schema))[-1]
    path = copy / "workflow" / "schemas" / schema.name
    text = json.loads(path.read_text(encoding="utf-8"))
    text["properties"][key]["description"] = "said | in another way"
    path.write_text(json.dumps(text), encoding="utf-8")
    checked = make_tables(copy, "--check")
    assert checked.returncode == 1
    assert checked.stderr.startswith("config/README.md is not what workflow/schemas say: run ")

    assert make_tables(copy).returncode == 0
    row = re.search(rf"^\| `{key}` \|.*said \\\| in another way.*$", page_of(copy), flags=re.M)
    assert row
    assert make_tables(copy, "--check").returncode == 0


def page_of(top: Path) -> str:
    """Return the page with the tables."""
    return (top / "config" / "README.md").read_text(encoding="utf-8")


def test_defaults_and_order_of_keys_are_those_of_the_shipped_configuration():
    shipped = yaml.safe_load((REPO / "config" / "config.yaml").read_text(encoding="utf-8"))
    defaults = {key: rules["default"] for key, rules in properties(CONFIG).items()}
    assert list(defaults.items()) == list(shipped.items())


def test_catalog_can_read_the_schema_of_the_configuration():
    """It reads it as YAML, and shows type, description and default in a table."""
    text = CONFIG.read_text(encoding="utf-8")
    assert yaml.safe_load(text) == json.loads(text)
    for key, rules in properties(CONFIG).items():
        assert rules["type"], key
        assert not set("|\n") & set(rules["description"]), key


def test_catalog_knows_how_the_workflow_is_used():
    """Either level of `report` has been the one that counts."""
    usage = yaml.safe_load((REPO / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    deployment = usage["software-stack-deployment"]
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    assert set(deployment) == {"conda", "apptainer", "apptainer+conda", "report"}
    assert usage["report"] is deployment["report"] is True
    assert (REPO / "workflow" / "Snakefile").is_file()
    readme = (REPO / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme
