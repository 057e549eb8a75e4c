# SPDX-License-Identifier: MIT

# What the rules of masks on other grids ask: which mask, which grid, is a file still right?
import functools
import math

from snakemake.exceptions import WorkflowError


def refusal(asked):
    """Return why a mask is not put on a grid, None if it is."""
    try:
        bm.registry.grid_for(asked, REGISTRY, GRIDS, IMAGES)
    except bm.MaskError as err:
        return str(err)
    return None


def refuse_gridded(name):
    """Raise an error if a name is that of a mask on a grid, which is not fetched; says why."""
    if asked := bm.registry.split_gridded(name):
        raise bm.UnknownMaskError(
            refusal(asked)
            or "a mask on another grid is not fetched, but made: ask for "
            + outputs("put_on_grid", **asked._asdict())["mask"]
        )


def nothing_but_gridded(wildcards):
    """Return no input files; has a published mask on a grid regenerated that is not right any more.

    For a grid that a mask is not put on it returns a file that `download` is to make, and which ends
    the run with the reason. If this function raised an error instead, Snakemake would report it for
    every file of such a name below masks/ for which a host workflow has a rule of its own.
    """
    asked = bm.registry.GriddedName(wildcards.mask, wildcards.grid)
    name = f"{asked.mask}{GRID_MARK}{asked.grid}"
    if refusal(asked):
        return f"{RESOURCES}/masks/{name}.nii.gz"
    require_gridded(name)
    return []


@functools.cache
def require_gridded(name):
    """Have a published mask on a grid regenerated that is not what it must be.

    Each is read once in a plan, although `all` and `put_on_grid` both ask.
    """
    asked = bm.registry.split_gridded(name)
    # Before Snakemake looks at the times of what this is made from: a damaged one is removed.
    require_published(asked.mask)
    grid = bm.registry.grid_for(asked, REGISTRY, GRIDS, IMAGES)
    files = outputs("put_on_grid", **asked._asdict())
    if made_by_host(files["mask"], "put_on_grid"):
        return
    require_folders("put_on_grid", **asked._asdict())
    image = None if grid else local(IMAGES[asked.grid]["image"])
    damage = damage_of(
        [files["mask"], files["sidecar"]],
        functools.partial(bm.masks.gridded_damage, REGISTRY.serve(asked.mask), grid, image),
    )
    regenerate(damage, files.values())


def image_of_grid(wildcards):
    """Return the path of the image whose grid is meant, nothing for a known grid."""
    if wildcards.grid in GRIDS or wildcards.grid not in IMAGES:
        return []
    return local(IMAGES[wildcards.grid]["image"])


def known_grid(wildcards):
    """Return what is recorded of a known grid, nothing for an image's.

    Not the table: a grid more in it is no reason to make those of the others again.
    """
    return GRIDS[wildcards.grid].as_row() if wildcards.grid in GRIDS else {}


def memory_on_grid(wildcards):
    """Return the MB that a mask needs to be put on a grid.

    Measured: 180 MB from 1 mm to 0.7 mm, 310 MB to 0.5 mm, of which 3 bytes for each voxel. How
    many an image has is not known before it is there.
    """
    size = math.prod(GRIDS[wildcards.grid].shape) if wildcards.grid in GRIDS else 3 * 10**8
    return 1000 + 4 * size // 10**6
