# SPDX-License-Identifier: MIT

# In which folders files are: path variables, which a host workflow may set. INTERFACE.yaml lists them.
import itertools
import os

from snakemake.exceptions import WorkflowError
from snakemake.pathvars import Pathvars

# Results are where they always were, unless somebody has set <results>: then they are below it.
as_ever = workflow.pathvars.level["results"] == Pathvars.with_defaults().level["results"]
RESULTS = "" if as_ever else "<results>/"


pathvars:
    masks=f"{RESULTS}masks",
    aligned=f"{RESULTS}aligned",
    checks=f"{RESULTS}checks",
    qc=f"{RESULTS}qc",


# What the variables stand for. For functions: in what these return, older versions of Snakemake look for
# the variables of the host.
MASKS, ALIGNED, CHECKS, QC, RESOURCES, LOGS = map(
    workflow.pathvars.apply, ("<masks>", "<aligned>", "<checks>", "<qc>", "<resources>", "<logs>")
)


def refuse_prefixes():
    """End the run with one line if paths are to be replaced in a way that does not reach all of them."""
    if workflow.modifier.path_modifier.modifies_prefixes:
        raise WorkflowError(
            "`replace_prefix:` does not reach paths that begin with a path variable, as those of this "
            'workflow do: set the variable, as in `pathvars: masks="templates"`'
        )


def require_folder(folder):
    """End the run with one line if a path variable stands for what cannot be one of our folders."""
    if "{" in folder:
        wrong = "has a wildcard, which not all files below it have"
    elif folder == "." or folder != os.path.normpath(folder):
        wrong = "is no plain path of a folder, such as results/masks"
    elif os.path.isabs(folder) and workflow.modifier.path_modifier.prefix:
        wrong = "is absolute, which a module with a `prefix:` does not reach"
    else:
        return
    raise WorkflowError(f"a path variable of this workflow stands for '{folder}', which {wrong}")


def require_apart(*folders):
    """End the run with one line if files of two kinds could get the same name."""
    for one, other in itertools.combinations(folders, 2):
        if one == other:
            raise WorkflowError(
                f"two folders of this workflow are '{one}'; masks, aligned, checks, qc and "
                "<resources>/masks have to be five: set path variables that differ"
            )


refuse_prefixes()
for folder in (MASKS, ALIGNED, CHECKS, QC, RESOURCES, LOGS):
    require_folder(folder)
require_apart(MASKS, ALIGNED, CHECKS, QC, f"{RESOURCES}/masks")
