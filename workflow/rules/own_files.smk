# SPDX-License-Identifier: MIT

# The files of this repository, wherever it is: a clone, a module, a URL.
#
# Naming a file to workflow.source_path() copies it to a cache that keeps the layout of folders:
# so scripts can import the package, and jobs find what they need without network. It looks for the
# file beside the one that calls it, which is why it is called here and not in the package.
import contextlib
import functools
import hashlib
import importlib.util
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import GenericSourceFile, LocalSourceFile


def in_cache(name):
    """Return where Snakemake's cache of sources has a file of this folder's parent."""
    return Path(os.path.normpath(workflow.source_path(f"../{name}")))


def fill_source_cache():
    """Put all files into Snakemake's cache of sources at once, in the tree of one that it has.

    Each by itself costs a request, where the workflow is loaded from a plain URL, and public servers
    refuse who makes so many. From a folder it takes four times as long as reading and writing it.
    """
    where = workflow.current_basedir
    if isinstance(where, LocalSourceFile):
        one = in_cache("files.txt")
        folder = Path(os.path.normpath(f"{where.path}/../.."))
        files = {name: (folder / name).read_bytes() for name in one.read_text().split()}
    elif isinstance(where, GenericSourceFile):
        one = in_cache("files.json")
        texts = json.loads(one.read_text(encoding="utf-8"))
        files = {name: text.encode() for name, text in texts.items()}
    else:
        return  # through github() and the like, which clone
    for name, content in files.items():
        path = one.parents[1] / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


# What is missing then, as from a server without files.json, is asked for by itself.
with contextlib.suppress(WorkflowError, FileNotFoundError):
    fill_source_cache()

FILES_TXT = in_cache("files.txt")


def own_file(name):
    """Return where Snakemake's cache of sources has a file of this repository."""
    path = FILES_TXT.parents[1] / name
    return str(path) if path.exists() else workflow.source_path(f"../../{name}")


OWN_FILES = {name: own_file(name) for name in FILES_TXT.read_text().split()}


def load_package():
    """Return the package, under a private name.

    Nothing is added to sys.path: a host workflow sees nothing of it, and two versions of this
    workflow can be used side by side.
    """
    init = str(OWN_FILES["scripts/brainmasks/__init__.py"])
    name = f"_brainmasks_{hashlib.sha256(init.encode()).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, init, submodule_search_locations=[os.path.dirname(init)]
        )
        sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


bm = load_package()


def script_file(name):
    """Return the path of a script, for a `script:` directive.

    Snakemake runs a job again if its script is a local file younger than the output, as every
    file of a fresh clone is. This is the copy in the source cache: its age says nothing, and is
    set to the oldest there is. `code` says when changed code must run again.
    """
    path = OWN_FILES[f"scripts/{name}.py"]
    # A copy that belongs to somebody else keeps its age; it works all the same.
    with contextlib.suppress(PermissionError):
        os.utime(path, (0, 0))
    return path


# What decides the content of an output, from the top down. `fetching` is not among them: from where
# bytes come is no reason to run again, and what they must be is in `nifti` and `registry`.
ROOMS = ("qc", "images", "masks", "nifti", "storage", "registry")


@functools.cache
def text_of(name):
    """Return the name and the lines of a file of ours, whatever its line ends, for a digest."""
    text = Path(OWN_FILES[name]).read_text(encoding="utf-8")
    return f"{name}\n{text}".rstrip().encode()


def code(script, room):
    """Return a digest of a script, of a room of the package, and of the rooms below it.

    As a parameter it has a job run again once what it does has changed. Line ends count for
    nothing: they differ between a clone and what a server sends.
    """
    below = tuple(f"scripts/brainmasks/{each}/" for each in ROOMS[ROOMS.index(room) :])
    names = [f"scripts/{script}.py", *(name for name in OWN_FILES if name.startswith(below))]
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(text_of(name))
    return digest.hexdigest()[:16]
