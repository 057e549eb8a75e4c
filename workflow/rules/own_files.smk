# SPDX-License-Identifier: MIT

# The files of this repository, wherever it is: a clone, a module, a URL.
#
# Naming a file to workflow.source_path() copies it to a cache that keeps the layout of folders:
# so scripts can import the package, and jobs find what they need without network. It looks for the
# file beside the one that calls it, which is why it is called here and not in the package. Files in a
# folder are used where they are: copying all of them at each start takes as long as everything else
# here, and Python keeps nothing that it has compiled in a cache that goes away.
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


def fill_source_cache():
    """Put all files into Snakemake's cache of sources that one file has, beside that one.

    Else each costs a request, where the workflow is loaded from a plain URL, and public servers
    refuse who makes so many. A server that lacks the one is asked for each.
    """
    with contextlib.suppress(WorkflowError):
        bundle = Path(workflow.source_path("../files.json"))
        for name, text in json.loads(bundle.read_text(encoding="utf-8")).items():
            path = bundle.parents[1] / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")


# Not from a folder, nor through github() and the like, which clone.
if isinstance(workflow.current_basedir, GenericSourceFile):
    fill_source_cache()

# The folder of this repository, None if it is loaded from elsewhere.
FOLDER = None
if isinstance(workflow.current_basedir, LocalSourceFile):
    FOLDER = Path(os.path.normpath(f"{workflow.current_basedir.path}/../.."))


def own_file(name):
    """Return the path of a file of this repository; an error if it is not there."""
    if FOLDER is None:
        return workflow.source_path(f"../../{name}")
    os.stat(FOLDER / name)
    return str(FOLDER / name)


OWN_FILES = {
    name: own_file(name) for name in Path(own_file("workflow/files.txt")).read_text().split()
}


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
    path = workflow.source_path(f"../../scripts/{name}.py")
    if FOLDER:
        # A script imports the package from beside it.
        with contextlib.suppress(FileExistsError):
            Path(path).with_name("brainmasks").symlink_to(FOLDER / "scripts" / "brainmasks")
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
