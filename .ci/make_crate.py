#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is committed as a Workflow RO-Crate, for WorkflowHub: `.ci/make_crate.py FOLDER`.

repo2rocrate takes folders of its own list only, and neither `scripts` nor `envs` are in it, if they
are at the top. What a folder is for is what the map in CONTRIBUTING.md says; all else is what
CITATION.cff and pyproject.toml say.
"""

import io
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate
from ruamel.yaml import YAML

TOP = Path(__file__).resolve().parents[1]
# The version of RO-Crate on which the profile of workflows builds.
VERSION = "1.1"
WORKFLOW = "workflow/Snakefile"


def git(*command: str) -> bytes:
    """Return what a command of git prints."""
    return subprocess.run(["git", *command], cwd=TOP, stdout=subprocess.PIPE, check=True).stdout


def folders(source: Path) -> dict[str, str]:
    """Return what the map in CONTRIBUTING.md says of each folder that it names."""
    text = (source / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/-]+)` \| (.+) \|$", text, flags=re.MULTILINE)
    return {name: words for name, words in rows if (source / name).is_dir()}


def entity(crate: ROCrate, identifier: str, kind: str, **facts: str) -> ContextEntity:
    """Add something that is no file."""
    return crate.add(ContextEntity(crate, identifier, {"@type": kind, **facts}))


def make_crate(source: Path) -> ROCrate:
    """Return a crate of a copy of the repository, with everything that is in it."""
    citation = YAML(typ="safe").load(source / "CITATION.cff")
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    crate = ROCrate(version=VERSION)
    described = folders(source)
    for path in sorted(source.iterdir()):
        if path.is_dir():
            crate.add_dataset(path, path.name, properties={"name": path.name})
        else:
            crate.add_file(path, path.name)
    for name, words in described.items():
        # Those below others are in the crate already, with these.
        crate.get(f"{name}/") or crate.add_dataset(dest_path=name, properties={"name": name})
        crate.get(f"{name}/")["description"] = words
    crate.get("README.md")["about"] = crate.root_dataset
    crate.get("README.md")["encodingFormat"] = "text/markdown"

    workflow = crate.add_workflow(source / WORKFLOW, WORKFLOW, main=True, lang="snakemake")
    licence = f"https://spdx.org/licenses/{citation['license']}"
    makers = [
        entity(crate, f"#{quote(each['name'])}", "Organization", name=each["name"])
        for each in citation["authors"]
    ]
    facts = {
        "name": citation["title"],
        "description": project["description"],
        "version": citation["version"],
        "license": entity(crate, licence, "CreativeWork", name=citation["license"]),
        "creator": makers,
        "author": makers,
        "keywords": ", ".join(project["keywords"]),
        "url": citation["repository-code"],
    }
    for each in (workflow, crate.root_dataset):
        for key, value in facts.items():
            each[key] = value
    crate.root_dataset["datePublished"] = git("log", "-1", "--format=%cI").decode().strip()
    return crate


if __name__ == "__main__":
    with TemporaryDirectory() as copy:
        with tarfile.open(fileobj=io.BytesIO(git("archive", "HEAD"))) as tree:
            tree.extractall(copy, filter="data")
        crate = make_crate(Path(copy))
        # `crate.write` would leave out of each folder what has the name of a file at the top.
        crate.metadata.write(copy)
        name = f"brainmasks-{crate.root_dataset['version']}.crate"
        print(shutil.make_archive(str(Path(sys.argv[1]).resolve() / name), "zip", copy))
