# SPDX-License-Identifier: MIT

# What the rules of masks ask: which mask, from which sources, is a file still right?
import functools
import re

from snakemake.exceptions import WorkflowError

REGISTERED = REGISTRY.by_hash()
# What {mask} takes: the names of masks, and what may be meant as one. Other files of a host workflow
# in the same folders are not ours.
SPACES = {mask.space for mask in REGISTRY.list()} | set(REGISTRY.aliases)
LIKE_A_MASK = bm.registry.like_a_mask(SPACES)
# The same of a mask on its own grid. On another one there are two names in one: the first mark
# divides it, so that no name of a mask has one.
GRID_MARK = bm.registry.GRID_MARK
MASK_ALONE = bm.registry.like_a_mask(SPACES, rf"(?!{GRID_MARK})[^/]")
# Jobs of one group that depend on each other are one job of a cluster; locally it means nothing.
MASK_GROUP = "brain_mask" if SETTINGS["submit_masks"] else None


def serve(wildcards):
    """Return the registry's entry for the mask that is asked for, on whatever grid."""
    try:
        return REGISTRY.serve(without_grid(wildcards.mask))
    except bm.MaskError as err:
        raise WorkflowError(str(err)) from None


def without_grid(name):
    """Return the name of the registered mask in that of a mask, on whatever grid."""
    gridded = bm.registry.split_gridded(name)
    return gridded.mask if gridded else name


def row(wildcards):
    """Return what is recorded of a mask: a job runs again if any of it changes."""
    return serve(wildcards).as_row()


def rows_of_masks(wildcards):
    """Return what is recorded of the masks of the configuration, in their order."""
    return [REGISTRY.serve(without_grid(name)).as_row() for name in SETTINGS["masks"]]


def sources(wildcards, output):
    """Return from where a mask may come: no reason to fetch it again if that changes.

    It takes `output`, so that Snakemake counts the parameter as derived and does not record it.
    """
    return sources_of(serve(wildcards))


def sources_of(mask):
    """Return from where a mask may come, in plain values that a script can read."""
    return {
        # With the credentials that a row's recorded URL lacks.
        "url": mask.url,
        "folder": mask.folder,
        "cache_dir": str(bm.registry.cache_folder(SETTINGS["cache_dir"])),
        "site_caches": [str(bm.registry.user_path(path)) for path in SETTINGS["site_caches"]],
        "mirrors": [
            {"location": mirror.location, "distribution": mirror.distribution}
            for mirror in MIRRORS.get(mask.name, ())
        ],
        "offline": SETTINGS["offline"],
        "registered": REGISTERED,
    }


def rows_and_sources(names):
    """Return a function of the wildcards: row and sources of each mask, whatever it is served as."""

    def entries(wildcards):
        masks = {mask.name: mask for mask in map(REGISTRY.serve, map(without_grid, names))}
        return [{"row": mask.as_row(), **sources_of(mask)} for mask in masks.values()]

    return entries


def quiet(wildcards, output):
    """Return whether a job keeps to its log what it has made: under `--quiet`, `rules` or `all`.

    A job of a cluster does not: its console is a log, too. It takes `output`, as `sources` does.
    """
    asked = {each.name for each in workflow.output_settings.quiet or ()}
    return workflow.is_main_process and not asked.isdisjoint({"RULES", "ALL"})


def masks_of_user():
    """Return the names of the masks of the configuration, and of those in tables of the user's."""
    shipped = {str(Path(OWN_FILES[name]).parent) for name in bm.registry.MASKS_TABLES}
    own = [mask.name for mask in REGISTRY.list() if mask.folder not in shipped]
    return own + [REGISTRY.serve(without_grid(name)).name for name in SETTINGS["masks"]]


def outputs(name, **wildcards):
    """Return the output files of one of our rules by what they are called in it."""
    return {
        called: file.apply_wildcards(wildcards) for called, file in OWN_RULES[name].output.items()
    }


def require_folders(rule, **wildcards):
    """End the run with one line if something that is no folder stands where a rule needs one."""
    needed = [*OWN_RULES[rule].output, *OWN_RULES[rule].log]
    for path in (str(each).format(**wildcards) for each in needed):
        for folder in Path(path).parents:
            if folder.is_dir():
                break  # and so are those above it
            if os.path.lexists(folder):
                raise WorkflowError(
                    f"{folder} is no folder, and {path} must be below it: remove it"
                )


def nothing_but_published(wildcards):
    """Return no input files; has a published mask regenerated that is not the registered one."""
    # Any other is a file of a host workflow, or a misspelt mask: `download` says so.
    with contextlib.suppress(bm.MaskError):
        require_published(wildcards.mask)
    return []


@functools.cache
def require_published(name):
    """Have a published mask regenerated that is not the registered one.

    Each is read once in a plan, although `all` and `validate` both ask.
    """
    mask = REGISTRY.serve(name)
    published, fetched = outputs("validate", mask=name), outputs("download", mask=name)
    if made_by_host(published["mask"], "validate"):
        return
    require_folders("validate", mask=name)
    damage = damage_of(
        [published["mask"], published["sidecar"], fetched["mask"], fetched["origin"]],
        functools.partial(bm.masks.published_damage, mask),
    )
    regenerate(damage, published.values())


def masks_of_configuration(wildcards):
    """Return the masks and sidecars of the configuration.

    Each is looked at, also where `--allowed-rules` leaves `validate` out, which else does so.
    """
    for name in SETTINGS["masks"]:
        require_gridded(name) if bm.registry.split_gridded(name) else require_published(name)
    return [
        f"{MASKS}/{name}.{suffix}" for name in SETTINGS["masks"] for suffix in ("nii.gz", "json")
    ]


def host_may_make(name):
    """Return whether a rule of the host workflow makes a file that has the name of one of ours."""
    ours = {each.rule.name for each in OWN_RULES.values()}
    others = [each for each in workflow.rules if each.name not in ours]
    makers = ("download", "validate", "draw_mask")
    paths = [str(path).format(mask=name) for each in makers for path in OWN_RULES[each].output]
    return any(each.is_producer(path) for each in others for path in paths)


def instead_of_input(message):
    """Return a message that takes the place of an input file.

    Snakemake ends the run with it, as a missing input, unless a host workflow has a rule that makes
    the file. If an input function raised an error instead, Snakemake would report it, or take
    the rule for one that can be used, for every file of such a name that is a host's own.
    """
    # No longer than the name of a file may be, in bytes; whole words.
    if len(message.encode()) > 250:
        message = message.encode()[:246].decode(errors="ignore").rpartition(" ")[0] + " ..."
    return local(message)


def nothing_but_ours(wildcards):
    """Return no input files, and a message if no such mask is registered: it is a host's own."""
    try:
        REGISTRY.serve(without_grid(wildcards.mask))
    except bm.MaskError:
        return instead_of_input(f"no mask is registered for '{wildcards.mask}'")
    return []


def nothing_but_registered(wildcards):
    """Return no input files; has a fetched file regenerated that is not the registered mask.

    Ends the run with a message if the mask is not registered, or not put on the grid in its name.

    Asked by `download`, whose output no host workflow makes, and not by `validate`: Snakemake
    would report it for every file below masks/ for which a host workflow has a rule of its own.
    """
    try:
        refuse_gridded(wildcards.mask)
        mask = REGISTRY.serve(wildcards.mask)
    except bm.MaskError as err:
        if host_may_make(wildcards.mask):
            return instead_of_input(str(err))
        raise WorkflowError(str(err)) from None
    require_folders("download", mask=wildcards.mask)
    fetched = outputs("download", mask=wildcards.mask)
    damage = damage_of(
        [fetched["mask"], fetched["origin"]], functools.partial(bm.masks.fetched_damage, mask)
    )
    regenerate(damage, fetched.values())
    return []


def right_name_of_mask(wildcards):
    """Return a message with the name of the file that was meant, in the place of an input."""
    name = Path(wildcards.misnamed).name.removesuffix(".gz").removesuffix(".nii")
    meant = " or ".join(outputs("validate", mask=each)["mask"] for each in REGISTRY.meant(name))
    hint = f": did you mean {meant}?" if meant else f", and none is registered for '{name}'"
    # With the prefix of the module, which path variables do not have.
    folder = Path(outputs("validate", mask=name)["mask"]).parent
    return instead_of_input(f"masks are gzipped files below {folder}{hint}")


def refuse_output_cache(*names):
    """End the run if rules are named to Snakemake's `--cache`: it verifies nothing that it holds."""
    for name in (getattr(rules, each).rule.name for each in names):
        if name in (workflow.workflow_settings.cache or ()):
            raise WorkflowError(
                f"Rule {name} cannot be cached by Snakemake's --cache, which does not verify what it "
                "takes from there: leave the rule out of --cache. Masks have a cache of their own"
            )
